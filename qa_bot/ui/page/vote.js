// Thumbs up and down, with a reason, and an answer turned into a test case.

import { download, send } from "./api.js";
import { icon, make, say } from "./dom.js";

/** The reasons that make sense for an answer, and for a refusal. */
const REASONS = {
  answered: ["wrong", "incomplete", "wrong_source", "not_in_documents"],
  refused: ["should_answer"],
};

/** Two thumbs, and the place below them where more can be said. */
export function votes(record, doings) {
  const below = make("div", { class: "opinion" });
  const button = (name) =>
    make("button", {
      class: "tool",
      type: "button",
      title: say(`vote_${name}`),
      "aria-label": say(`vote_${name}`),
      onclick: () => choose(record.vote?.vote === name ? null : { vote: name, reason: "", right: "" }),
    }, icon(name));
  const thumbs = { up: button("up"), down: button("down") };
  const path = () => `conversations/${doings.conversation()}`;

  async function choose(vote) {
    await send("POST", `${path()}/vote`, { turn: doings.place, ...vote });
    record.vote = vote;
    draw();
    below.querySelector("select")?.focus();
    below.scrollIntoView({ block: "nearest" });
  }

  function draw(note) {
    for (const [name, thumb] of Object.entries(thumbs)) thumb.setAttribute("aria-pressed", String(record.vote?.vote === name));
    below.replaceChildren();
    if (!record.vote) return;
    if (record.vote.vote === "down") below.append(form());
    below.append(make("p", { class: "small" }, make("button", { class: "plain", type: "button", onclick: toCase }, say("to_case")), note ?? ""));
  }

  function form() {
    const reason = make(
      "select",
      { "aria-label": say("reason"), onchange: change },
      ...["", ...REASONS[record.status]].map((name) => {
        const option = make("option", {}, say(name ? `reason_${name}` : "reason"));
        option.value = name;
        return option;
      }),
    );
    reason.value = record.vote.reason;
    const right = make("textarea", { "aria-label": say("right_answer"), onchange: change });
    right.rows = 2;
    right.placeholder = say("right_answer");
    right.value = record.vote.right;
    function change() {
      record.vote = { vote: "down", reason: reason.value, right: right.value };
      saved = send("POST", `${path()}/vote`, { turn: doings.place, ...record.vote });
    }
    return make("div", { class: "reasons" }, reason, right);
  }

  /** What was typed last must be kept before a test case is made of it. */
  let saved;
  async function toCase() {
    await saved;
    const { cases } = await send("POST", `${path()}/case`, { turn: doings.place });
    const get = () => download("testset", "testset.jsonl");
    draw(make("span", {}, ` ✓ ${say("cases", { n: cases })} `, make("button", { class: "plain", type: "button", onclick: get }, say("download"))));
    below.querySelector("p").setAttribute("role", "status");
  }

  draw();
  return { buttons: make("span", { class: "thumbs" }, thumbs.up, thumbs.down), below };
}
