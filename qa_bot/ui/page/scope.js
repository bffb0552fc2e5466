// What the next questions are limited to: documents, a language, dates.

import { byId, inLanguage, languageName, make, say, shownDate } from "./dom.js";

const chosen = new Set();
const titles = new Map();
const menu = byId("scope");
let documents = [];

/** Wait for choices. */
export function startScope() {
  for (const id of ["only-language", "only-since", "only-until"]) byId(id).addEventListener("input", tell);
  byId("only-find").addEventListener("input", list);
  byId("only-clear").addEventListener("click", clear);
  for (const elsewhere of ["click", "focusin"]) {
    document.addEventListener(elsewhere, (event) => {
      if (!menu.contains(event.target)) menu.open = false;
    });
  }
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
    event.stopPropagation();
  });
}

/** Offer these documents and their languages. */
export function offer(indexed) {
  documents = indexed;
  titles.clear();
  for (const item of indexed) titles.set(item.source, item.title);
  for (const source of [...chosen]) if (!titles.has(source)) chosen.delete(source);
  const language = byId("only-language");
  const before = language.value;
  const codes = [...new Set(indexed.map((item) => item.language))].sort();
  language.replaceChildren(
    ...["", ...codes].map((code) => {
      const option = make("option", {}, code ? languageName(code) : say("any_language"));
      option.value = code;
      return option;
    }),
  );
  if (codes.includes(before)) language.value = before;
  list();
  tell();
}

/** The limits as `ask` takes them; empty for none. */
export function limits() {
  const only = {};
  if (chosen.size) only.source = [...chosen];
  for (const name of ["language", "since", "until"]) {
    const value = byId(`only-${name}`).value.trim();
    if (value) only[name] = value;
  }
  return only;
}

/** Limits as a line to read; empty for none. */
export function limitLine(only) {
  const named = (only.source || []).map((source) => titles.get(source) || source);
  return [
    named.length > 1 ? say("only_documents", { n: named.length }) : named[0],
    only.language && languageName(only.language),
    only.since && say("only_since", { date: shownDate(only.since) }),
    only.until && say("only_until", { date: shownDate(only.until) }),
  ]
    .filter(Boolean)
    .join(" · ");
}

function list() {
  const wanted = byId("only-find").value.trim().toLowerCase();
  const fits = (item) => chosen.has(item.source) || `${item.title} ${item.source}`.toLowerCase().includes(wanted);
  byId("only-documents").replaceChildren(...documents.filter(fits).slice(0, 50).map(choice));
}

function choice(item) {
  const box = make("input", { type: "checkbox" });
  box.checked = chosen.has(item.source);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(item.source);
    else chosen.delete(item.source);
    tell();
  });
  return make("li", {}, make("label", {}, box, make("span", inLanguage(item.language), item.title)));
}

function clear() {
  chosen.clear();
  for (const name of ["language", "since", "until", "find"]) byId(`only-${name}`).value = "";
  list();
  tell();
}

function tell() {
  const line = limitLine(limits());
  byId("scope-line").textContent = line;
  menu.classList.toggle("on", Boolean(line));
  byId("only-clear").hidden = !line;
}
