// The documents: what is indexed, search without a language model, uploads.

import { call } from "./api.js";
import { byId, inLanguage, languageName, make, placeLine, say, shownDate, takeFiles } from "./dom.js";
import { offer } from "./scope.js";
import { line, look, ready, watch } from "./server.js";
import { settings } from "./settings.js";
import { openDocument } from "./sources.js";

const BAD = ["failed", "undecodable", "too_large", "unsupported", "empty"];
const reader = byId("reader");
const list = byId("list");
let busy = false;

/** Fill the list once it can be known, and wait for files and queries. */
export function startDocuments() {
  reader.dataset.closes = "true";
  byId("search").addEventListener("submit", (event) => {
    event.preventDefault();
    search(byId("query").value.trim());
  });
  takeFiles(byId("drop"), byId("choose"), byId("files"), upload);
  byId("reindex").addEventListener("click", () => updating(() => call("update", false), []));
  watch((state) => {
    const indexing = state.doing?.what === "indexing";
    byId("indexing").hidden = !indexing;
    byId("indexing").textContent = indexing ? line(state) : "";
  });
  ready().then(async () => fill(await call("documents")));
}

function fill({ documents, suffixes, limit }) {
  byId("count").textContent = documents.length;
  byId("kinds").textContent = say("kinds", { kinds: suffixes.join(" "), size: Math.floor(limit / 1e6) });
  byId("files").accept = suffixes.join(",");
  list.replaceChildren(...documents.map(row));
  offer(documents);
}

function row(item) {
  const cell = (name, text) => make("td", { "data-name": say(name) }, text);
  return make(
    "tr",
    {},
    make(
      "th",
      { scope: "row" },
      make(
        "button",
        {
          class: "plain",
          ...inLanguage(item.language),
          onclick: (event) => openDocument(reader, item.source, [], event.currentTarget),
        },
        item.title,
      ),
      make("span", { class: "small" }, item.source),
    ),
    cell("col_date", shownDate(item.date) || "–"),
    cell("col_language", languageName(item.language)),
    cell("col_passages", String(item.passages)),
    cell("col_status", say(item.uploaded ? "uploaded" : "from_folder")),
    make("td", {}, item.uploaded ? make("button", { class: "plain", onclick: () => remove(item) }, say("remove")) : ""),
  );
}

function remove(item) {
  if (!confirm(say("remove_sure", { name: item.title }))) return;
  updating(() => call("remove", item.source), []);
}

async function upload(files) {
  if (!files.length || busy) return;
  const lines = files.map((file) => ({ file, line: make("li", {}, file.name) }));
  byId("uploads").replaceChildren(...lines.map((item) => item.line));
  for (const item of lines) {
    tell(item, say("uploading"));
    try {
      const answer = await fetch(`upload?name=${encodeURIComponent(item.file.name)}`, { method: "PUT", body: item.file });
      const { name, error } = await answer.json();
      item.name = name;
      tell(item, error || say("indexing"), Boolean(error));
    } catch {
      tell(item, say("lost"), true);
    }
  }
  const kept = lines.filter((item) => item.name);
  if (kept.length) await updating(() => call("update", false), kept);
}

/** Change the index and show what came of it, file by file. */
async function updating(change, lines) {
  if (busy) return;
  busy = true;
  byId("reindex").disabled = true;
  setTimeout(look, 100);
  try {
    const report = await change();
    fill(report);
    const ours = lines.length ? lines : report.files.filter((file) => BAD.includes(file.status)).map(fresh);
    if (!lines.length) byId("uploads").replaceChildren(...ours.map((item) => item.line));
    for (const item of ours) {
      const file = report.files.find(({ source }) => source === item.name || source.endsWith(`/${item.name}`));
      if (file) tell(item, say(`status_${file.status}`) + (file.reason ? `: ${file.reason}` : ""), BAD.includes(file.status));
    }
  } catch (fault) {
    if (lines.length) for (const item of lines) tell(item, fault.message, true);
    else byId("uploads").replaceChildren(make("li", { class: "bad", role: "alert" }, fault.message));
  } finally {
    busy = false;
    byId("reindex").disabled = false;
    look();
  }
}

const fresh = (file) => ({ name: file.source, line: make("li", {}, file.source) });

function tell(item, text, bad = false) {
  item.line.replaceChildren(
    make("span", { dir: "auto" }, item.file?.name || item.name),
    make("span", { class: bad ? "bad" : "small" }, ` ${text}`),
  );
}

async function search(query) {
  const results = byId("results");
  if (!query) return results.replaceChildren();
  results.replaceChildren(make("p", { class: "doing" }, make("span", { class: "dots", "aria-hidden": "true" }), say("searching")));
  try {
    await ready();
    const { passages } = await call("search", query, settings().passages);
    results.replaceChildren(
      passages.length
        ? make("ol", { class: "cards" }, ...passages.map(hit))
        : make("p", { class: "small" }, say("nothing_found")),
    );
  } catch (fault) {
    results.replaceChildren(make("p", { class: "warning", role: "alert" }, fault.message));
  }
}

function hit(passage) {
  const mark = { marker: 1, start: passage.start, end: passage.end, quote: passage.text };
  return make(
    "li",
    { class: "card" },
    make(
      "button",
      {
        class: "open",
        title: say("open_source"),
        onclick: (event) => openDocument(reader, passage.source, [mark], event.currentTarget),
      },
      make("span", { class: "number" }, String(passage.rank)),
      make("span", { class: "name", ...inLanguage(passage.language) }, passage.title),
    ),
    make("p", { class: "small" }, placeLine(passage)),
    make("blockquote", inLanguage(passage.language), passage.text),
  );
}
