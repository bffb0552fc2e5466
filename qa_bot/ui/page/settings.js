// How this tab's questions are answered: chosen here, sent with each of them, kept nowhere else.

import { byId, languageName, make, say } from "./dom.js";

const KEPT = "qa_bot.settings";
/** Choices where nothing is chosen and the server has no say. */
const OURS = { passages: 10 };
const PASSAGES = [5, 10, 20];
const STRICTNESS = ["low", "normal", "high"];
const choices = { strictness: byId("set-strictness"), answer_language: byId("set-language"), passages: byId("set-passages") };
let chosen = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
let offered = {};

/** Wait for choices. A log-out forgets them: the next user of this tab may be another. */
export function startSettings() {
  for (const [name, select] of Object.entries(choices)) {
    select.addEventListener("change", () => {
      const value = name === "passages" ? Number(select.value) : select.value;
      keep({ ...chosen, [name]: value });
    });
  }
  byId("set-reset").addEventListener("click", () => {
    keep({});
    choices.strictness.focus();
  });
  byId("log-out").addEventListener("submit", () => sessionStorage.removeItem(KEPT));
  tell();
}

/** What is set, as questions are sent with it. */
export const settings = () => ({ ...OURS, ...chosen });

/** Offer what the server has: its own settings, and the languages it can answer in. */
export function offerSettings(known) {
  offered = known;
  const languages = known.languages.map((code) => [code, languageName(code)]).sort(([, a], [, b]) => a.localeCompare(b));
  fill(choices.strictness, STRICTNESS.map((name) => [name, say(`strictness_${name}`)]));
  fill(choices.answer_language, [["", say("language_asked")], ...languages]);
  fill(choices.passages, PASSAGES.map((n) => [n, String(n)]));
  show();
}

function fill(select, options) {
  select.replaceChildren(
    ...options.map(([value, text]) => {
      const option = make("option", {}, text);
      option.value = value;
      return option;
    }),
  );
}

function keep(settings) {
  chosen = settings;
  sessionStorage.setItem(KEPT, JSON.stringify(chosen));
  show();
  tell();
}

function show() {
  for (const [name, select] of Object.entries(choices)) select.value = chosen[name] ?? offered[name] ?? OURS[name];
  byId("set-reset").hidden = !Object.keys(chosen).length;
}

/** Beside the question: what is set, so that nobody wonders later why an answer is another. */
function tell() {
  const { strictness, answer_language: language } = chosen;
  byId("settings-line").textContent = [
    strictness && say("strictness_line", { name: say(`strictness_${strictness}`) }),
    language && say("answers_line", { language: languageName(language) }),
  ]
    .filter(Boolean)
    .join(" · ");
  byId("settings-line").hidden = !byId("settings-line").textContent;
}
