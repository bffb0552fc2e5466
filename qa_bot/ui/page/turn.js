// One turn of the conversation: the question, its answer with markers, and what can be done with it.

import { inLanguage, icon, make, say } from "./dom.js";
import { limitLine } from "./scope.js";
import { openSource, show } from "./sources.js";
import { votes } from "./vote.js";

const CLOSEST = 3;
const SNIPPET = 160;

/**
 * Draw a turn: an answer record, or a pending question with its `state`.
 * `doings` is what a person can do with it. Returns its element, and what shows how it goes on.
 */
export function drawTurn(record, doings) {
  const asked = make("h2", { class: "asked", dir: "auto" }, make("span", { class: "unseen" }, `${say("you")}: `), record.question);
  const limited = limitLine(record.only || {});
  const answer = make("div", { class: "answer" });
  const element = make(
    "article",
    { class: "turn" },
    asked,
    limited ? make("p", { class: "small limited" }, icon("filter"), limited) : null,
    answer,
  );
  const turn = { element, asked, answer, record, doings };
  const fail = (error) => failed(turn, error);
  if (record.state === "asking") note(turn, say("searching"));
  else if (record.state === "failed") fail(record.error);
  else if (record.state) stopped(turn);
  else if (record.status === "refused") refused(turn);
  else answered(turn);
  answer.toggleAttribute("aria-busy", record.state === "asking");
  return { element, fail, step: (step) => write(turn, step) };
}

/** A line about what is going on, in place of an answer that has not begun. */
function note(turn, text) {
  turn.answer.replaceChildren(make("p", { class: "doing" }, make("span", { class: "dots", "aria-hidden": "true" }), text));
}

function write(turn, step) {
  if (step.status === "loading") return note(turn, say("waiting_model"));
  if (step.status === "waiting" && step.before) return note(turn, say("queued", { n: step.before }));
  if (step.status !== "writing") return note(turn, say("searching"));
  const said = turn.answer.querySelector(".said") || make("p", { class: "said writing", dir: "auto" });
  said.textContent = step.answer;
  if (!said.isConnected) turn.answer.replaceChildren(said);
}

function failed(turn, error) {
  turn.answer.replaceChildren(
    make("div", { class: "failed", role: "alert" }, make("strong", {}, say("failed")), make("p", {}, error)),
    actions(turn),
  );
}

function stopped(turn) {
  turn.answer.replaceChildren(make("p", { class: "small" }, say("stopped")), actions(turn));
}

function refused(turn) {
  const { record } = turn;
  turn.answer.replaceChildren(
    make("p", { class: "badge" }, say("refused")),
    make("p", { class: "said", ...inLanguage(record.language) }, record.answer),
    understood(record),
    closest(turn),
    actions(turn),
    steps(record),
  );
}

function answered(turn) {
  const { record } = turn;
  turn.answer.replaceChildren(
    make("p", { class: "said", ...inLanguage(record.language) }, ...record.parts.map((part) => sentence(turn, part))),
    understood(record),
    actions(turn),
    steps(record),
  );
}

/** How an answer came about, step by step. */
function steps(record) {
  if (!record.steps?.length) return "";
  const item = (step) =>
    make(
      "li",
      {},
      make("p", {}, make("strong", {}, say(`step_${step.name}`)), make("span", { class: "small" }, ` ${step.seconds.toFixed(1)} s`)),
      make("p", { class: "result", dir: "auto" }, step.result),
    );
  return make("details", { class: "steps" }, make("summary", {}, say("steps")), make("ol", {}, ...record.steps.map(item)));
}

function sentence(turn, part) {
  const shown = part.pieces.map((piece) => (piece.marker ? marker(turn, piece) : piece.text));
  if (part.supported) return make("span", {}, ...shown);
  return make(
    "span",
    { class: "unsupported", title: say("unsupported") },
    ...shown,
    make("span", { class: "flag" }, ` ⚠ ${say("unsupported")}`),
  );
}

function marker({ record, doings }, piece) {
  const source = record.sources.find((item) => item.marker === piece.marker);
  return make(
    "button",
    {
      class: "marker",
      "data-marker": piece.marker,
      "aria-label": `${say("source_number", { n: piece.marker })}: ${source.title}`,
      title: `${source.title}\n${source.quote}`,
      onclick: (event) => openSource(doings.panel, record, piece.marker, event.currentTarget),
    },
    piece.text,
  );
}

function closest({ record, doings }) {
  if (!record.sources.length) return "";
  const item = (source) =>
    make(
      "li",
      {},
      make(
        "button",
        {
          class: "plain",
          onclick: (event) => openSource(doings.panel, record, source.marker, event.currentTarget),
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

/** The buttons below an answer, or below what stands in its place. */
function actions(turn) {
  const { record, doings } = turn;
  const whole = !record.state && record.status;
  const tool = (name, text, onclick) =>
    make("button", { class: "tool", type: "button", title: text, "aria-label": text, onclick }, icon(name));
  const row = make(
    "div",
    { class: "actions" },
    record.status === "answered"
      ? make(
          "button",
          { class: "plain", type: "button", onclick: (event) => show(doings.panel, record, event.currentTarget) },
          say("sources_count", { n: record.sources.length }),
        )
      : null,
    whole && navigator.clipboard ? tool("copy", say("copy"), copy(record)) : null, // none over plain HTTP from afar
    whole
      ? tool("again", say("retry"), doings.again)
      : make("button", { class: "plain", type: "button", onclick: doings.again }, say("retry")),
    tool("edit", say("edit"), () => edit(turn)),
    doings.later() === 0 ? tool("undo", say("undo"), doings.undo) : null,
  );
  if (!whole) return row;
  const opinion = votes(record, doings);
  row.append(
    opinion.buttons,
    make("span", { class: "small" }, [record.model, `${record.seconds.toFixed(1)} s`, room(record)].filter(Boolean).join(" · ")),
  );
  return make("div", {}, row, opinion.below);
}

/** How much of the model's window the longest prompt of an answer took. */
function room({ longest, window }) {
  return longest && window ? say("window", { percent: Math.ceil((100 * longest) / window) }) : "";
}

const copy = (record) => async (event) => {
  const { currentTarget } = event;
  await navigator.clipboard.writeText(record.answer);
  currentTarget.replaceChildren(icon("done"));
  currentTarget.title = say("copied");
};

/** Put a field in the question's place; what comes after the question is dropped with its answer. */
function edit(turn) {
  const { asked, record, doings } = turn;
  const field = make("textarea", { "aria-label": say("edit") });
  field.value = record.question;
  field.maxLength = 4000;
  const back = () => form.replaceWith(asked);
  const ask = () => field.value.trim() && doings.edit(field.value.trim());
  const later = doings.later();
  const form = make(
    "form",
    {
      class: "editing",
      onsubmit: (event) => {
        event.preventDefault();
        ask();
      },
      onkeydown: (event) => {
        if (event.key === "Escape") back();
        if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
        event.preventDefault();
        ask();
      },
    },
    field,
    later ? make("p", { class: "small" }, say("edit_drops", { n: later })) : null,
    make("div", {}, make("button", { class: "main" }, say("send")), make("button", { type: "button", onclick: back }, say("cancel"))),
  );
  asked.replaceWith(form);
  field.focus();
}
