// The panel beside an answer: its sources, and each quote in its place in its document.

import { call } from "./api.js";
import { inLanguage, make, placeLine, say } from "./dom.js";

/** Whether the panel lies over the page rather than beside it. */
const narrow = () => matchMedia("(max-width: 60rem)").matches;

/** List what an answer rests on, or the passages closest to a question without an answer. */
export function listSources(panel, record, opener) {
  const refused = record.status === "refused";
  panel.replaceChildren(
    head(panel, make("h2", {}, say(refused ? "closest" : "rests_on")), opener),
    refused ? make("p", { class: "small" }, say("closest_note")) : "",
    make("ol", { class: "cards" }, ...record.sources.map((source) => card(panel, record, source, opener))),
  );
}

/** Show one quote in its document; the document's other quotes are marked more faintly. */
export async function openSource(panel, record, marker, opener) {
  const source = record.sources.find((item) => item.marker === marker);
  const marks = record.sources
    .filter((item) => item.source === source.source)
    .map(({ marker, start, end, quote }) => ({ marker, start, end, quote }));
  const back = make("button", { class: "plain", onclick: () => show(panel, record, opener) }, `‹ ${say("back")}`);
  const body = make("div", { class: "reading", "aria-busy": "true" }, make("p", { class: "small" }, say("loading")));
  panel.replaceChildren(head(panel, back, opener), body);
  reveal(panel);
  try {
    const found = await call("document", source.source, marks);
    body.replaceChildren(
      make("h2", inLanguage(found.language), found.title),
      make("p", { class: "small" }, placeLine(found)),
      record.status === "refused" ? "" : checks(source),
      translator(source) ?? "",
      found.moved.includes(marker) ? make("p", { class: "warning" }, say("moved")) : "",
      paper(found, marker),
    );
    scrollTo(body.querySelector("mark.current"));
  } catch (fault) {
    body.replaceChildren(make("p", { class: "warning", role: "alert" }, fault.message));
  }
  body.removeAttribute("aria-busy");
}

/** Show a whole document, without quotes or at one passage. */
export async function openDocument(panel, source, marks, opener) {
  panel.replaceChildren(head(panel, make("p", { class: "small" }, say("loading")), opener));
  reveal(panel);
  try {
    const found = await call("document", source, marks);
    panel.replaceChildren(
      head(panel, make("h2", inLanguage(found.language), found.title), opener),
      make("div", { class: "reading" }, make("p", { class: "small" }, placeLine(found)), paper(found, marks[0]?.marker)),
    );
    scrollTo(panel.querySelector("mark.current"));
  } catch (fault) {
    panel.append(make("p", { class: "warning", role: "alert" }, fault.message));
  }
}

/** List the sources and bring the panel before the reader. */
export function show(panel, record, opener) {
  listSources(panel, record, opener);
  reveal(panel);
}

function card(panel, record, source, opener) {
  return make(
    "li",
    { class: "card", "data-marker": source.marker },
    make(
      "button",
      {
        class: "open",
        title: say("open_source"),
        onclick: () => openSource(panel, record, source.marker, opener),
      },
      make("span", { class: "number" }, String(source.marker)),
      make("span", { class: "name", ...inLanguage(source.language) }, source.title),
    ),
    make("p", { class: "small" }, placeLine(source)),
    make("blockquote", inLanguage(source.language), source.quote),
    record.status === "refused" ? null : checks(source),
    translator(source),
  );
}

/** A button that puts a quote of another language into the page's, marked as what it is. */
function translator(source) {
  const page = document.documentElement.lang;
  if (source.language === page) return null;
  const place = make("div", { "aria-live": "polite" });
  const translate = async () => {
    button.disabled = true;
    button.textContent = say("translating");
    try {
      const text = await call("translate", source.quote, source.language, page);
      place.replaceChildren(
        make("p", { class: "translation", ...inLanguage(page) }, make("span", { class: "small" }, say("translation")), text),
      );
    } catch (fault) {
      button.disabled = false;
      button.textContent = say("translate");
      place.append(make("p", { class: "warning" }, fault.message));
    }
  };
  const button = make("button", { class: "plain", type: "button", onclick: translate }, say("translate"));
  place.append(button);
  return place;
}

function checks(source) {
  const line = (good, text) =>
    make("li", { class: good ? "good" : "bad" }, make("span", { "aria-hidden": "true" }, good ? "✓ " : "! "), text);
  return make(
    "ul",
    { class: "checks" },
    line(true, say("checked_quote")),
    line(source.supported, say(source.supported ? "checked_numbers" : "unchecked_numbers")),
  );
}

function paper(found, current) {
  const drawn = (piece) => {
    if (!piece.marks) return piece.text;
    const active = piece.marks.includes(current);
    return make("mark", { class: active ? "current" : "other", "data-marks": piece.marks.join(" ") }, piece.text);
  };
  const text = (pieces) => make("div", { class: "text", ...inLanguage(found.language) }, ...pieces.map(drawn));
  const page = ([n, pieces]) =>
    make("section", { class: "page", "aria-label": say("page", { n }) }, make("p", { class: "small" }, say("page", { n })), text(pieces));
  const pages = new Map();
  for (const piece of found.pieces) if (piece.page) pages.set(piece.page, [...(pages.get(piece.page) || []), piece]);
  const cut = (count) => (count ? make("p", { class: "cut" }, say("cut", { n: count.toLocaleString() })) : null);
  return make(
    "div",
    { class: "paper", role: "article", tabIndex: 0, "aria-label": found.title },
    cut(found.before),
    ...(pages.size ? [...pages].map(page) : [text(found.pieces)]),
    cut(found.after),
  );
}

function head(panel, what, opener) {
  const close = () => {
    panel.classList.remove("over");
    if (panel.dataset.closes) panel.hidden = true;
    opener?.focus();
  };
  return make(
    "div",
    { class: "panel-head" },
    what,
    make("button", { class: "tool close", title: say("close"), "aria-label": say("close"), onclick: close }, "×"),
  );
}

function reveal(panel) {
  panel.hidden = false;
  if (!narrow()) return;
  panel.classList.add("over");
  panel.querySelector("button")?.focus();
}

function scrollTo(mark) {
  if (!mark) return;
  const box = mark.closest(".paper");
  const offset = mark.getBoundingClientRect().top - box.getBoundingClientRect().top;
  box.scrollTop += offset - box.clientHeight / 3;
}
