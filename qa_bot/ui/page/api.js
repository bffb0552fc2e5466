// Calls of the server: its routes, and the endpoints on Gradio's queue.

import { say } from "./dom.js";

/** A failure whose message a person can read. */
export class Failed extends Error {}

/** Call a route; a body is sent as JSON. Returns the JSON that comes back. */
export async function send(method, path, body) {
  let answer;
  try {
    answer = await fetch(path, { method, body: body && JSON.stringify(body) });
  } catch {
    throw new Failed(say("lost"));
  }
  return received(answer);
}

/** Call an endpoint on Gradio's queue, and wait for what it gives. */
export async function call(name, ...data) {
  let answer;
  try {
    answer = await fetch(`gradio_api/call/${name}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ data }),
    });
  } catch {
    throw new Failed(say("lost"));
  }
  const { event_id: id } = await received(answer);
  const source = new EventSource(`gradio_api/queue/data?session_hash=${encodeURIComponent(id)}`);
  return new Promise((resolve, reject) => {
    source.onerror = () => reject(new Failed(say("lost")));
    source.onmessage = (event) => {
      const message = JSON.parse(event.data);
      if (message.msg === "process_completed") {
        if (message.success) resolve(message.output.data[0]);
        else reject(new Failed(message.output?.error || say("internal")));
      } else if (message.msg === "unexpected_error") reject(new Failed(message.message || say("lost")));
    };
  }).finally(() => source.close());
}

/** Keep what the server sends as a file of this name. */
export async function download(path, name) {
  const answer = await fetch(path);
  if (!answer.ok) await received(answer);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await answer.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

async function received(answer) {
  if (answer.status === 401) location.reload(); // the login has run out
  let said;
  try {
    said = await answer.json();
  } catch {
    throw new Failed(say(answer.status === 503 ? "full" : "internal"));
  }
  if (!answer.ok) throw new Failed(said.error || say(answer.status === 503 ? "full" : "internal"));
  return said;
}
