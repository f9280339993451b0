/** A client of the protocol on the standard socket.io-client: it remembers every frame, and lets one wait for them. */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { io } from "socket.io-client";

/** Generous: a machine that builds and tests at once is slow. */
const PATIENCE_MS = 20_000;

/** A UUID of version 7. */
export function uuidv7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

/** Signs in at the demonstration: `{token, id, conversation?}`. */
export async function signIn(server, role, name) {
  const answer = await fetch(`${server}/api/demo/sign-in`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ role, name }),
  });
  if (!answer.ok) throw new Error(`sign-in as ${role}: ${answer.status}`);
  return answer.json();
}

export class Peer {
  /** Every frame in its order: `{event, data}`. */
  frames = [];
  #waiting = new Set();

  /** @param options what CONNECT carries instead of the usual, and the transport. */
  constructor(server, role, { transport = "websocket", ...auth }) {
    const connect = { device: "interop-node", protocol: 1, client: "interop-node/0.1.0", ...auth };
    this.socket = io(`${server}/${role}`, {
      auth: connect,
      transports: [transport],
      forceNew: true,
      reconnection: false,
    });
    this.socket.onAny((event, data) => {
      this.frames.push({ event, data });
      for (const look of this.#waiting) look();
    });
  }

  /** Connects, and answers the `welcome`. */
  static async welcomed(server, role, options) {
    const peer = new Peer(server, role, options);
    peer.socket.on("connect_error", (error) =>
      peer.frames.push({ event: "connect_error", data: error.message }),
    );
    peer.welcome = await peer.next("welcome");
    return peer;
  }

  /** Connects in vain, and answers CONNECT_ERROR's message. */
  static refused(server, role, options) {
    const peer = new Peer(server, role, options);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("neither accepted nor refused")), PATIENCE_MS);
      const end = (what) => {
        clearTimeout(timer);
        peer.close();
        resolve(what);
      };
      peer.socket.on("connect_error", (error) => end(error.message));
      peer.socket.on("welcome", () => end("welcome"));
    });
  }

  /** How many frames there are: what `next` calls "after". */
  mark() {
    return this.frames.length;
  }

  /** The data of the first frame of `event` that `fits`, from the mark `after` on; waits until it is there. */
  next(event, fits = () => true, after = 0) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const found = this.frames.slice(after).find((frame) => frame.event === event && fits(frame.data));
        if (!found) return;
        clearTimeout(timer);
        this.#waiting.delete(look);
        resolve(found.data);
      };
      const timer = setTimeout(() => {
        this.#waiting.delete(look);
        const seen = this.frames.slice(after).map((frame) => frame.event);
        reject(new Error(`no such ${event}; came: ${seen.slice(-20).join(" ") || "nothing"}`));
      }, PATIENCE_MS);
      this.#waiting.add(look);
      look();
    });
  }

  /** Emits, and answers the first frame of `event` that `fits` after it. */
  ask(what, data, event, fits) {
    const after = this.mark();
    this.socket.emit(what, data);
    return this.next(event, fits, after);
  }

  /** Sends a body once, and answers `{entry}` or `{rejected}` with its id, whichever comes. */
  async sendOnce(conversation, body, { id = uuidv7(), seen = 0, ...more } = {}) {
    const after = this.mark();
    this.socket.emit("send", { id, conversation, seen, body, ...more });
    return Promise.any([
      this.next("entry", ({ entry }) => entry.id === id, after).then(({ entry }) => ({ entry })),
      this.next("rejected", (frame) => frame.id === id, after).then((rejected) => ({ rejected })),
    ]);
  }

  /** Sends a body at the pace that the server allows. */
  async send(conversation, body, { id = uuidv7(), ...more } = {}) {
    for (;;) {
      const answer = await this.sendOnce(conversation, body, { id, ...more });
      if (answer.rejected?.code !== "rate_limited") return answer;
      await pause(answer.rejected.retry_after_ms);
    }
  }

  /** All entries of a conversation, page by page. */
  async log(conversation, head) {
    const entries = [];
    for (let from = 1; from <= head; from += 200) {
      const range = { conversation, from, to: Math.min(head, from + 199) };
      const fits = (answer) => answer.conversation === conversation && answer.from === from;
      entries.push(...(await this.ask("entries", range, "entries", fits)).entries);
    }
    return entries;
  }

  /** The summary of a conversation, by `changes` from the start. */
  async summary(conversation) {
    for (let since = 0; ;) {
      const answer = await this.ask("changes", { since }, "changes", (frame) => frame.since === since);
      const found = answer.conversations.find(({ id }) => id === conversation);
      if (found || !answer.more) return found;
      since = answer.rev;
    }
  }

  close() {
    this.socket.disconnect();
  }
}
