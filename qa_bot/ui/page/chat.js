// The conversation. It lives in this browser alone: the server keeps nothing of it.

import { call, stream } from "./api.js";
import { byId, inLanguage, make, say } from "./dom.js";
import { ready } from "./server.js";
import { listSources, openSource, show } from "./sources.js";
import { current, go, keep } from "./store.js";

const PENDING = "qa_bot.pending";
const TITLE = 70;
const CLOSEST = 3;
const SNIPPET = 160;
const PATIENCE = 400;
const panel = byId("sources");
const turns = byId("turns");
const scroll = byId("scroll");
const question = byId("question");
let finished = [];
let running = null;
let leaving = false;

/** Show what this tab has talked about, and wait for questions. */
export function startChat() {
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  question.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  question.addEventListener("input", fit);
  byId("stop").addEventListener("click", stop);
  addEventListener("beforeunload", () => (leaving = true));
  byId("new-chat").addEventListener("click", begin);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && running) stop();
  });
  restore();
  const pending = sessionStorage.getItem(PENDING);
  if (pending) leave(opened(pending)); // a reload broke its answer off
  toEnd();
  ready().then(suggest);
}

/** Begin a new conversation. */
export function begin() {
  go(null);
  restore();
  question.focus();
}

/** Go on with a conversation of before. */
export function reopen(id) {
  go(id);
  restore();
  toEnd();
}

function restore() {
  stop();
  turns.replaceChildren();
  panel.replaceChildren(make("p", { class: "empty" }, say("sources_empty")));
  panel.classList.remove("over");
  finished = current()?.records || [];
  byId("welcome").hidden = finished.length > 0;
  for (const record of finished) finish(opened(record.question), record);
  if (finished.length) listSources(panel, finished.at(-1));
  dispatchEvent(new Event("conversation"));
}

function submit() {
  const text = question.value.trim();
  if (!text || running) return;
  question.value = "";
  fit();
  ask(text);
}

async function ask(text) {
  const turn = opened(text);
  const history = finished.map((record) => [record.question, record.answer]);
  busy({ stop: () => {} });
  sessionStorage.setItem(PENDING, text);
  let stopped = false;
  const cancelled = new Promise((resolve) => {
    running.stop = () => {
      stopped = true;
      resolve();
    };
  });
  note(turn, say("waiting_model"));
  toEnd();
  try {
    await Promise.race([ready(), cancelled]);
    if (stopped) return leave(turn);
    let begun = false;
    const asked = stream("ask", [text, history], {
      // The answer that is being written is before those that wait.
      onWait: (waiting) => setTimeout(() => begun || note(turn, say("queued", { n: waiting + 1 })), PATIENCE),
      onStart: () => {
        begun = true;
        note(turn, say("searching"));
      },
      onStep: (step) => step.status === "writing" && write(turn, step.answer),
    });
    running.stop = () => {
      stopped = begun = true;
      asked.stop();
    };
    const record = await asked.done;
    if (stopped) return leave(turn);
    finish(turn, record);
    if (record.status === "error") return;
    finished.push(record);
    keep(finished);
    dispatchEvent(new Event("conversation"));
    listSources(panel, record);
  } catch (fault) {
    finish(turn, { status: "error", question: text, error: fault.message });
  } finally {
    busy(null);
    if (!leaving) sessionStorage.removeItem(PENDING);
  }
}

function stop() {
  running?.stop();
}

function opened(text) {
  byId("welcome").hidden = true;
  const answer = make("div", { class: "answer", "aria-busy": "true" });
  const element = make(
    "article",
    { class: "turn" },
    make("h2", { class: "asked", dir: "auto" }, make("span", { class: "unseen" }, `${say("you")}: `), text),
    answer,
  );
  turns.append(element);
  return { element, answer, text };
}

/** A line about what is going on, in place of an answer that has not begun. */
function note(turn, text) {
  if (turn.answer.querySelector(".said")) return;
  turn.answer.replaceChildren(make("p", { class: "doing" }, make("span", { class: "dots", "aria-hidden": "true" }), text));
}

function write(turn, text) {
  const low = atEnd();
  const said = turn.answer.querySelector(".said") || make("p", { class: "said writing", dir: "auto" });
  said.textContent = text;
  if (!said.isConnected) turn.answer.replaceChildren(said);
  if (low) toEnd();
}

/** Leave an answer as it was when it was stopped. */
function leave(turn) {
  turn.answer.querySelector(".doing")?.remove();
  turn.answer.querySelector(".said")?.classList.remove("writing");
  turn.answer.append(make("p", { class: "small" }, say("stopped")), actions(turn, null));
  turn.answer.removeAttribute("aria-busy");
}

function finish(turn, record) {
  const low = atEnd();
  const { answer } = turn;
  answer.removeAttribute("aria-busy");
  if (record.status === "error") {
    answer.replaceChildren(
      make("div", { class: "failed", role: "alert" }, make("strong", {}, say("failed")), make("p", {}, record.error)),
      actions(turn, null),
    );
  } else if (record.status === "refused") {
    answer.replaceChildren(
      make("p", { class: "badge" }, say("refused")),
      make("p", { class: "said", ...inLanguage(record.language) }, record.answer),
      understood(record),
      closest(record),
      actions(turn, record),
    );
  } else {
    answer.replaceChildren(
      make("p", { class: "said", ...inLanguage(record.language) }, ...record.parts.map((part) => sentence(record, part))),
      understood(record),
      actions(turn, record),
    );
  }
  if (low) toEnd();
}

function sentence(record, part) {
  const shown = part.pieces.map((piece) => (piece.marker ? marker(record, piece) : piece.text));
  if (part.supported) return make("span", {}, ...shown);
  return make(
    "span",
    { class: "unsupported", title: say("unsupported") },
    ...shown,
    make("span", { class: "flag" }, ` ⚠ ${say("unsupported")}`),
  );
}

function marker(record, piece) {
  const source = record.sources.find((item) => item.marker === piece.marker);
  return make(
    "button",
    {
      class: "marker",
      "data-marker": piece.marker,
      "aria-label": `${say("source_number", { n: piece.marker })}: ${source.title}`,
      title: `${source.title}\n${source.quote}`,
      onclick: (event) => openSource(panel, record, piece.marker, event.currentTarget),
    },
    piece.text,
  );
}

function closest(record) {
  if (!record.sources.length) return "";
  const item = (source) =>
    make(
      "li",
      {},
      make(
        "button",
        {
          class: "plain",
          onclick: (event) => openSource(panel, record, source.marker, event.currentTarget),
          ...inLanguage(source.language),
        },
        source.title,
        make("span", { class: "small" }, source.quote.slice(0, SNIPPET)),
      ),
    );
  const first = record.sources.slice(0, CLOSEST);
  return make("div", { class: "closest" }, make("h3", {}, say("closest")), make("ol", {}, ...first.map(item)));
}

function understood(record) {
  if (!record.standalone_question || record.standalone_question === record.question) return "";
  return make("p", { class: "small", dir: "auto" }, say("understood", { question: record.standalone_question }));
}

function actions(turn, record) {
  const button = (text, onclick) => make("button", { class: "plain", type: "button", onclick }, text);
  return make(
    "div",
    { class: "actions" },
    record?.status === "answered"
      ? button(say("sources_count", { n: record.sources.length }), (event) => show(panel, record, event.currentTarget))
      : null,
    record && !navigator.clipboard // browsers have none over plain HTTP from another machine
      ? null
      : record
      ? button(say("copy"), async (event) => {
          const { currentTarget } = event;
          await navigator.clipboard.writeText(record.answer);
          currentTarget.textContent = say("copied");
        })
      : button(say("retry"), () => {
          if (running) return;
          turn.element.remove();
          ask(turn.text);
        }),
    record ? make("span", { class: "small" }, `${record.model} · ${record.seconds.toFixed(1)} s`) : null,
  );
}

async function suggest() {
  const page = document.documentElement.lang;
  const { examples } = await call("documents");
  const asked = examples
    .map(({ language, title }) => [["en", "fr", "zh", "id"].includes(language) ? language : page, title])
    .sort(([a], [b]) => (b === page) - (a === page))
    .slice(0, 4)
    .map(([language, title]) => [language, say(`example_${language}`, { title: shortened(title) })]);
  byId("examples").hidden = asked.length === 0;
  byId("example-list").replaceChildren(
    ...asked.map(([language, text]) =>
      make("li", {}, make("button", { type: "button", ...inLanguage(language), onclick: () => running || ask(text) }, text)),
    ),
  );
}

function shortened(title) {
  if (title.length <= TITLE) return title;
  const cut = title.slice(0, TITLE);
  return `${cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut}…`;
}

function busy(work) {
  running = work;
  byId("send").hidden = Boolean(work);
  byId("stop").hidden = !work;
}

function fit() {
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight + 2}px`;
}

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
const toEnd = () => (scroll.scrollTop = scroll.scrollHeight);
