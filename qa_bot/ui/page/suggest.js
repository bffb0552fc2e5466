// Questions to begin with, made from the documents: one in each of their languages.

import { call } from "./api.js";
import { byId, inLanguage, make, say } from "./dom.js";

const MOST = 4;
const TITLE = 70;
const LANGUAGES = ["en", "fr", "zh", "id"];

/** Offer them; a click asks. */
export async function suggest(ask) {
  const page = document.documentElement.lang;
  const { examples } = await call("documents");
  const asked = examples
    .map(({ language, title }) => [LANGUAGES.includes(language) ? language : page, title])
    .sort(([a], [b]) => (b === page) - (a === page))
    .slice(0, MOST)
    .map(([language, title]) => [language, say(`example_${language}`, { title: shortened(title) })]);
  byId("examples").hidden = asked.length === 0;
  byId("example-list").replaceChildren(
    ...asked.map(([language, text]) =>
      make("li", {}, make("button", { type: "button", ...inLanguage(language), onclick: () => ask(text) }, text)),
    ),
  );
}

function shortened(title) {
  if (title.length <= TITLE) return title;
  const cut = title.slice(0, TITLE);
  return `${cut.includes(" ") ? cut.slice(0, cut.lastIndexOf(" ")) : cut}…`;
}
