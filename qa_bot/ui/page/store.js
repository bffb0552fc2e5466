// Conversations, kept in this browser alone: a server that many share never holds them.

const user = document.documentElement.dataset.visitor;
const ALL = `qa_bot.conversations${user ? `.${user}` : ""}`;
const CURRENT = `qa_bot.current${user ? `.${user}` : ""}`;
const NAME = 80;

/** Every conversation, the latest first: { id, name, at, records }. */
export function conversations() {
  try {
    return JSON.parse(localStorage.getItem(ALL)) || [];
  } catch {
    return [];
  }
}

/** The one of this tab, if it has begun. */
export function current() {
  const id = sessionStorage.getItem(CURRENT);
  return conversations().find((item) => item.id === id);
}

/** Keep what this tab's conversation has come to. */
export function keep(records) {
  const known = current();
  const id = known?.id || `${Date.now()}-${Math.random().toString(36).slice(2)}`;
  sessionStorage.setItem(CURRENT, id);
  const item = { id, name: known?.name || records[0].question.slice(0, NAME), at: Date.now(), records: records.map(slim) };
  write([item, ...conversations().filter((other) => other.id !== id)]);
}

/** Go to another conversation, or with no id to a new one. */
export function go(id) {
  if (id) sessionStorage.setItem(CURRENT, id);
  else sessionStorage.removeItem(CURRENT);
}

export const rename = (id, name) =>
  write(conversations().map((item) => (item.id === id ? { ...item, name: name.slice(0, NAME) } : item)));
export const remove = (id) => write(conversations().filter((item) => item.id !== id));
export const removeAll = () => localStorage.removeItem(ALL);

/** A record without the ranking, and without passages that no one will look at again. */
function slim(record) {
  return { ...record, retrieved: [], passages: record.status === "refused" ? record.passages : [] };
}

function write(items) {
  while (true) {
    try {
      localStorage.setItem(ALL, JSON.stringify(items));
      return;
    } catch (fault) {
      // The browser's room is full: the oldest conversation makes place.
      if (items.length < 2) return;
      items = items.slice(0, -1);
    }
  }
}
