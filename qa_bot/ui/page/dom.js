// The one place that puts text on the page. Text of documents, questions and models only ever
// becomes a text node or an attribute named here: nothing is parsed as HTML.

const texts = JSON.parse(document.getElementById("texts").textContent);

const SVG = "http://www.w3.org/2000/svg";
const ICONS = {
  again: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  copy: "M9 9h10v10H9zM5 15V5h10",
  delete: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  done: "M5 12.5 10 17.5 19 7.5",
  down: "M7 4v10M7 14l4 6c2 0 2-2 1.5-5H18a1.5 1.5 0 0 0 1.5-1.8L18 6c-.2-1-1-2-2-2H7",
  edit: "M5 19h3L19 8l-3-3L5 16zM14 7l3 3",
  filter: "M4 6h16M7 12h10M10 18h4",
  undo: "M5 9h9a5 5 0 0 1 0 10h-4M9 5 5 9l4 4",
  up: "M7 20V10M7 10l4-6c2 0 2 2 1.5 5H18a1.5 1.5 0 0 1 1.5 1.8L18 18c-.2 1-1 2-2 2H7",
};

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

/** A drawing of ours, for a button that says in words what it does. */
export function icon(name) {
  const drawing = document.createElementNS(SVG, "svg");
  drawing.setAttribute("viewBox", "0 0 24 24");
  drawing.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  drawing.append(path);
  return drawing;
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

/** A time, in milliseconds since 1970, as the reader writes it. */
export const shownTime = (at) =>
  new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(new Date(at));

/** Date, language, files and page of a source, as one line. */
export function placeLine(source) {
  const files = [source.source, ...(source.also_in ?? [])];
  const named = files.slice(0, 4).join(", ") + (files.length > 4 ? ` +${files.length - 4}` : "");
  const page = source.page && say("page", { n: source.page });
  return [shownDate(source.date), languageName(source.language), named, page].filter(Boolean).join(" · ");
}

/** Hand on the files that are dropped on `drop`, or chosen with `button` through `input`. */
export function takeFiles(drop, button, input, take) {
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("aimed");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("aimed"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("aimed");
    take([...event.dataTransfer.files]);
  });
}
