// The conversation that is open: ask, follow the answer as it is written, edit, repeat, undo.
// The server keeps it, and goes on with an answer while nobody looks.

import { send } from "./api.js";
import { byId, make, say } from "./dom.js";
import { limits } from "./scope.js";
import { ready } from "./server.js";
import { settings } from "./settings.js";
import { listSources } from "./sources.js";
import { drawTurn } from "./turn.js";
import { suggest } from "./suggest.js";

const CURRENT = "qa_bot.current";
const panel = byId("sources");
const turns = byId("turns");
const scroll = byId("scroll");
const question = byId("question");
/** What is open, as the server has it; null before the first question. */
let open = null;
let watching = null;
/** The turn that an answer is written into. */
let last = null;
/** Whether to stop what the server has not even heard of yet. */
let unwanted = false;

/** Open what this tab has talked about, and wait for questions. */
export async function startChat() {
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
  byId("new-chat").addEventListener("click", begin);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && watching) stop();
  });
  ready().then(() => suggest((text) => watching || ask(text)));
  const id = sessionStorage.getItem(CURRENT);
  if (id) await reopen(id);
}

/** The conversation that is open, if one is. */
export const current = () => open;

/** Begin a new conversation; an answer that is being written goes on. */
export function begin() {
  show(null);
  question.focus();
}

/** Go to a conversation of before. */
export async function reopen(id) {
  try {
    show(await send("GET", `conversations/${id}`));
  } catch {
    show(null); // it was deleted elsewhere
  }
  toEnd();
}

function show(conversation) {
  watching?.close();
  busy(null);
  keep(conversation);
  turns.replaceChildren();
  panel.replaceChildren(make("p", { class: "empty" }, say("sources_empty")));
  panel.classList.remove("over");
  byId("welcome").hidden = Boolean(conversation);
  if (!conversation) return;
  conversation.turns.forEach(draw);
  if (conversation.turns.length) listSources(panel, conversation.turns.at(-1));
  if (conversation.pending) drawPending(conversation.pending);
  if (conversation.asking) follow();
}

function keep(conversation) {
  open = conversation;
  if (conversation) sessionStorage.setItem(CURRENT, conversation.id);
  else sessionStorage.removeItem(CURRENT);
  dispatchEvent(new Event("conversation"));
}

function submit() {
  const text = question.value.trim();
  if (!text || watching) return;
  question.value = "";
  fit();
  ask(text);
}

/** Ask in the open conversation, after its first `kept` turns. */
async function ask(text, kept = open?.turns.length || 0, only = limits()) {
  byId("welcome").hidden = true;
  while (turns.children.length > kept) turns.lastChild.remove();
  const pending = { question: text, only, state: "asking" };
  const turn = drawPending(pending);
  busy({ close() {} });
  unwanted = false;
  toEnd();
  try {
    const before = open;
    const path = before ? `conversations/${before.id}` : "conversations";
    const { id } = await send("POST", path, { question: text, keep: kept, only, settings: settings() });
    if (unwanted) halt(id);
    if (open !== before) return;
    keep({ id, name: before?.name || text, turns: (before?.turns || []).slice(0, kept), pending, asking: true });
    follow();
  } catch (fault) {
    busy(null);
    turn.fail(fault.message);
  }
}

/** Show the answer of the open conversation as it is written; then what was kept of it. */
function follow() {
  const { id } = open;
  const turn = last;
  const source = new EventSource(`conversations/${id}/answer`);
  busy(source);
  source.onmessage = async (event) => {
    const step = JSON.parse(event.data);
    if (step.status !== "over") {
      const low = atEnd();
      turn.step(step);
      if (low) toEnd();
      return;
    }
    source.close();
    await settle(id, source);
  };
}

async function settle(id, source) {
  const low = atEnd();
  try {
    const kept = await send("GET", `conversations/${id}`);
    if (watching !== source) return;
    keep(kept);
    turns.lastChild?.remove();
    if (kept.pending) drawPending(kept.pending);
    else {
      draw(kept.turns.at(-1), kept.turns.length - 1);
      listSources(panel, kept.turns.at(-1));
    }
  } catch (fault) {
    last?.fail(fault.message);
  }
  busy(null);
  if (low) toEnd();
}

function stop() {
  unwanted = !open?.asking;
  if (!unwanted) halt(open.id);
}

const halt = (id) => send("POST", `conversations/${id}/stop`).catch(() => {});

function draw(record, place) {
  const turn = drawTurn(record, doings(place, record));
  turns.append(turn.element);
  return turn;
}

const drawPending = (pending) => (last = draw(pending, turns.children.length));

/** What a person can do with a turn; each is refused while an answer is being written. */
function doings(place, record) {
  const idle = (work) => (...given) => watching || work(...given);
  return {
    panel,
    place,
    conversation: () => open?.id,
    later: () => Math.max(0, (open?.turns.length || 0) - place - 1),
    again: idle(() => ask(record.question, place, record.only || {})),
    edit: idle((text) => ask(text, place, record.only || {})),
    undo: idle(async () => {
      await send("POST", `conversations/${open.id}/cut`, { keep: place });
      const text = record.question;
      await (place ? reopen(open.id) : begin());
      question.value = text; // so that it can be put otherwise
      fit();
      question.focus();
    }),
  };
}

function busy(source) {
  watching = source;
  byId("send").hidden = Boolean(source);
  byId("stop").hidden = !source;
  turns.classList.toggle("busy", Boolean(source));
}

function fit() {
  question.style.height = "auto";
  question.style.height = `${question.scrollHeight + 2}px`;
}

const atEnd = () => scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
const toEnd = () => (scroll.scrollTop = scroll.scrollHeight);
