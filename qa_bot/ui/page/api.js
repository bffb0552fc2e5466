// Calls of the server's endpoints through Gradio's queue.

import { say } from "./dom.js";

/** A failure whose message a person can read. */
export class Failed extends Error {}

/**
 * Call an endpoint that answers in steps.
 * `onStep` gets each object; `onWait` how many calls wait before ours, `onStart` that it is its turn.
 * Returns { done: a promise of the last object, stop(): ends the work on the server too }.
 */
export function stream(name, data, { onStep = () => {}, onWait = () => {}, onStart = () => {} } = {}) {
  let source = null;
  let id = null;
  let stopped = false;
  let settle;
  const ended = new Promise((resolve) => (settle = resolve));

  const listen = async () => {
    const joined = await post(`gradio_api/call/${name}`, { data });
    id = joined.event_id;
    if (stopped) return cancel(name, id);
    return new Promise((resolve, reject) => {
      let last;
      source = new EventSource(`gradio_api/queue/data?session_hash=${encodeURIComponent(id)}`);
      source.onerror = () => reject(new Failed(say("lost")));
      source.onmessage = (event) => {
        const message = JSON.parse(event.data);
        const given = message.output?.data?.[0];
        if (message.msg === "estimation") onWait(message.rank);
        else if (message.msg === "process_starts") onStart();
        else if (message.msg === "process_generating" && message.success) onStep((last = given));
        else if (message.msg === "process_completed") {
          if (message.success) resolve(given ?? last);
          else reject(new Failed(message.output?.error || say("internal")));
        } else if (message.msg === "unexpected_error") reject(new Failed(message.message || say("lost")));
      };
    }).finally(() => source.close());
  };

  return {
    done: Promise.race([listen(), ended]),
    stop() {
      stopped = true;
      source?.close();
      if (id) cancel(name, id);
      settle(undefined);
    },
  };
}

/** Call an endpoint that answers once. */
export const call = (name, ...data) => stream(name, data).done;

async function cancel(name, id) {
  const config = await (await fetch("config")).json();
  const endpoint = config.dependencies.find((item) => item.api_name === name);
  await post("gradio_api/cancel", { session_hash: id, event_id: id, fn_index: endpoint.id });
}

async function post(path, body) {
  let answer;
  try {
    answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Failed(say("lost"));
  }
  if (answer.status === 401) location.reload(); // the login has run out
  if (answer.status === 503) throw new Failed(say("full"));
  if (!answer.ok) throw new Failed(say("internal"));
  return answer.json();
}
