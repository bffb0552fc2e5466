// Evaluation runs: their figures, their failures with the evidence, and two of them compared.

import { send } from "./api.js";
import { byId, inLanguage, make, say, shownTime } from "./dom.js";

const body = byId("runs-body");
let runs = [];

/** Wait for the tab to be opened. */
export function startRuns() {
  byId("runs").addEventListener("shown", list);
}

/** List them anew, unless one of them is being read. */
export function listRuns() {
  if (!body.querySelector("h2")) list();
}

async function list() {
  await filled(async () => {
    const found = await send("GET", "runs");
    runs = found.runs;
    byId("runs-note").textContent = say("runs_note", { folder: found.folder });
    return runs.length ? [comparing(), make("ul", { class: "cards" }, ...runs.map(card))] : [make("p", { class: "small" }, say("runs_empty"))];
  });
}

/** Fill the tab with what `work` gives, or with why it gives nothing. */
async function filled(work) {
  body.setAttribute("aria-busy", "true");
  try {
    body.replaceChildren(...(await work()));
  } catch (fault) {
    body.replaceChildren(back(), make("p", { class: "warning", role: "alert" }, fault.message));
  }
  body.removeAttribute("aria-busy");
}

function back() {
  return make("button", { class: "plain", type: "button", onclick: list }, `‹ ${say("runs_all")}`);
}

function card(run) {
  const figures = run.metrics.map((figure) =>
    make("div", {}, make("dt", {}, figure.label), make("dd", {}, number(figure.value))),
  );
  const report = make("a", { href: `runs/${encodeURIComponent(run.name)}/report` }, say("runs_report"));
  report.target = "_blank";
  report.rel = "noopener";
  return make(
    "li",
    { class: "card" },
    make("div", { class: "row" }, make("strong", {}, run.name), make("span", { class: "small" }, shownTime(Date.parse(run.started)))),
    make("p", { class: "small" }, [run.test_set, say("runs_questions", { n: run.questions }), run.model].filter(Boolean).join(" · ")),
    make("dl", { class: "figures" }, ...figures),
    make("div", { class: "actions" }, make("button", { class: "plain", type: "button", onclick: () => one(run.name) }, say("runs_failures")), report),
  );
}

function comparing() {
  if (runs.length < 2) return "";
  const choice = (name, at) => {
    const select = make("select", { "aria-label": name }, ...runs.map((run) => {
      const option = make("option", {}, run.name);
      option.value = run.name;
      return option;
    }));
    select.selectedIndex = at;
    return select;
  };
  const a = choice(say("runs_before"), 1);
  const b = choice(say("runs_after"), 0);
  const compare = (event) => {
    event.preventDefault();
    both(a.value, b.value);
  };
  return make("form", { class: "comparing", onsubmit: compare }, a, make("span", { "aria-hidden": "true" }, "→"), b, make("button", { class: "main" }, say("runs_compare")));
}

async function one(name) {
  await filled(async () => {
    const run = await send("GET", `runs/${encodeURIComponent(name)}`);
    return [
      back(),
      make("h2", {}, run.name),
      table(
        [say("runs_figure"), say("runs_value"), say("runs_interval"), "n"],
        run.metrics.map((figure) => [figure.label, number(figure.value), interval(figure), String(figure.n)]),
      ),
      make("h3", {}, say("runs_failed", { n: run.failures.length + run.more, questions: run.questions })),
      make("div", {}, ...run.failures.map(failure)),
      run.more ? make("p", { class: "small" }, say("runs_more", { n: run.more })) : "",
    ];
  });
}

function failure(row) {
  const heading = make("summary", {}, make("span", { class: "badge" }, row.outcome), " ", make("span", inLanguage(row.language), row.question));
  const fact = (name, text) => make("div", {}, make("dt", {}, say(name)), make("dd", { dir: "auto" }, text || "–"));
  const found = (gold) => (gold.rank ? say("runs_rank", { n: gold.rank }) : say("runs_not_found"));
  return make(
    "details",
    { class: "failure" },
    heading,
    make(
      "dl",
      {},
      fact("runs_answer", row.answer),
      fact("runs_expected", row.expected),
      ...row.golds.map((gold) => make("div", {}, make("dt", {}, say("runs_gold")), make("dd", { dir: "auto" }, gold.text || "", make("span", { class: "small" }, ` ${gold.source} · ${found(gold)}`)))),
    ),
    ...row.passages.map((passage) =>
      make("figure", {}, make("figcaption", { class: "small" }, passage.source), make("blockquote", { dir: "auto" }, ...passage.pieces.map(piece))),
    ),
  );
}

/** A stretch of a passage: gold is marked strongly, what the answer quoted more faintly. */
function piece({ text, markers, gold }) {
  if (!markers.length && !gold) return text;
  const mark = make("mark", { class: gold ? "current" : "other" }, text);
  return markers.length ? make("span", {}, mark, make("sup", {}, markers.map((n) => `[${n}]`).join(""))) : mark;
}

async function both(a, b) {
  await filled(async () => {
    const found = await send("GET", `compare?a=${encodeURIComponent(a)}&b=${encodeURIComponent(b)}`);
    const words = { better: say("runs_better"), worse: say("runs_worse"), "": "" };
    return [
      back(),
      make("h2", {}, `${a} → ${b}`),
      found.configuration.length
        ? table([say("runs_setting"), a, b], found.configuration.map((item) => [item.name, item.a, item.b]))
        : make("p", { class: "small" }, say("runs_same")),
      table(
        [say("runs_figure"), a, b, say("runs_difference"), say("runs_interval"), ""],
        found.metrics.map((item) => [item.label, number(item.a), number(item.b), signed(item.difference), interval(item), words[item.verdict]]),
      ),
      ...["broken", "fixed"].flatMap((kind) => [
        make("h3", {}, say(`runs_${kind}`, { n: found.counts[kind] })),
        make("div", {}, ...found[kind].map((change) => changed(change, a, b))),
      ]),
    ];
  });
}

function changed(change, a, b) {
  const side = (name, text) => make("div", {}, make("h4", { class: "small" }, name), make("p", { dir: "auto" }, text));
  return make("details", { class: "failure" }, make("summary", { dir: "auto" }, change.question || change.id), make("div", { class: "pair" }, side(a, change.a), side(b, change.b)));
}

function table(names, rows) {
  return make(
    "div",
    { class: "scrolled", tabIndex: 0, role: "region", "aria-label": names[0] },
    make(
      "table",
      { class: "plain-table" },
      make("thead", {}, make("tr", {}, ...names.map((name) => (name ? make("th", { scope: "col" }, name) : make("td", {}))))),
      make("tbody", {}, ...rows.map(([first, ...rest]) => make("tr", {}, make("th", { scope: "row" }, first), ...rest.map((text) => make("td", {}, text))))),
    ),
  );
}

const number = (value) => (value == null ? "–" : Math.abs(value) > 1 ? value.toFixed(1) : value.toFixed(3));
const signed = (value) => (value == null ? "–" : `${value > 0 ? "+" : ""}${number(value)}`);
const interval = ({ low, high }) => (low == null ? "–" : `${number(low)} … ${number(high)}`);
