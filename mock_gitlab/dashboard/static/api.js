// Ask the mock. The page is a client of /_mock and of the API like any other.

const KEPT = "mock_gitlab_token";

/** An answer that is no success; `status` is its HTTP status. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** A client of one world. */
export class Client {
  constructor(root) {
    this.root = root;
    const handed = new URLSearchParams(location.hash.slice(1)).get("token");
    if (handed) {
      sessionStorage.setItem(KEPT, handed);
      history.replaceState(null, "", location.pathname); // the address bar shows no token
    }
  }

  /** Keep the token for this tab. */
  login(token) {
    sessionStorage.setItem(KEPT, token);
  }

  async #send(method, path, body) {
    const headers = { "PRIVATE-TOKEN": sessionStorage.getItem(KEPT) ?? "", Accept: "application/json" };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    return fetch(this.root + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  /** Send a request; return its JSON, or its text if it is none. Throws Refused. */
  async ask(method, path, body) {
    const answer = await this.#send(method, path, body);
    const text = await answer.text();
    const json = answer.headers.get("Content-Type")?.startsWith("application/json");
    const value = json && text ? JSON.parse(text) : text;
    if (!answer.ok) throw new Refused(answer.status, messageOf(value) || `${answer.status}`);
    return value;
  }

  get(path) {
    return this.ask("GET", path);
  }

  /** Follow the events of the world: call `changed` with what has changed, until it breaks off. */
  async follow(changed) {
    const answer = await this.#send("GET", "/_mock/events");
    if (!answer.ok) throw new Refused(answer.status, `${answer.status}`);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      text += value;
      const events = text.split("\n\n");
      text = events.pop();
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data: "));
        if (data) changed(JSON.parse(data.slice(6)).changed);
      }
    }
  }
}

function messageOf(value) {
  const message = value?.message ?? value?.error;
  return typeof message === "string" ? message : message ? JSON.stringify(message) : "";
}
