// The one place that puts text on the page. Text of documents, questions and models only ever
// becomes a text node or an attribute named here: nothing is parsed as HTML.

const texts = JSON.parse(document.getElementById("texts").textContent);

/** What the page says by that name, with `{key}` replaced by the values' texts. */
export function say(name, values = {}) {
  return texts[name].replace(/\{(\w+)\}/g, (place, key) => (key in values ? values[key] : place));
}

/** An element. Properties are set as such; `class`, `role`, `lang`, `for` and `aria-…` as attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (/^(class|role|lang|dir|for|scope|aria-\w+|data-\w+)$/.test(name)) element.setAttribute(name, value);
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (["title", "type", "disabled", "hidden", "tabIndex", "href"].includes(name)) element[name] = value;
    else throw new Error(`make: unknown property ${name}`);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

/** Attributes of a text in a language: its fonts, hyphens and direction. */
export const inLanguage = (code) => ({ lang: code || "und", dir: "auto" });

/** A language's name in the page's language. */
export function languageName(code) {
  try {
    return new Intl.DisplayNames([document.documentElement.lang], { type: "language" }).of(code);
  } catch {
    return code;
  }
}

/** The page's language, as it is written where the reader is. */
function locale() {
  const page = document.documentElement.lang;
  return navigator.languages.find((tag) => tag.split("-")[0] === page) || page;
}

/** A date as the reader writes it; a part of a date as it is. */
export function shownDate(date) {
  if (!date || !/^\d{4}-\d\d-\d\d$/.test(date)) return date || "";
  const [year, month, day] = date.split("-").map(Number);
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium" }).format(
    new Date(year, month - 1, day),
  );
}

/** Date, language and files of a source, as one line. */
export function placeLine(source) {
  const files = [source.source, ...(source.also_in ?? [])];
  const named = files.slice(0, 4).join(", ") + (files.length > 4 ? ` +${files.length - 4}` : "");
  return [shownDate(source.date), languageName(source.language), named].filter(Boolean).join(" · ");
}
