import type { Command } from "../../bindings/Command";
import type { Connection } from "../../bindings/Connection";
import type { InboxRow } from "../../bindings/InboxRow";
import type { Item } from "../../bindings/Item";
import type { OutgoingState } from "../../bindings/OutgoingState";
import type { Patch } from "../../bindings/Patch";
import type { Query } from "../../bindings/Query";
import type { Repaired } from "../../bindings/Repaired";
import type { Reply } from "../../bindings/Reply";
import type { Splice } from "../../bindings/Splice";
import type { Update } from "../../bindings/Update";
import { plain } from "../../state/item";
import type { Platform } from "../platform";
import { fail, wait } from "./answer";
import { difference } from "./difference";
import { found } from "./found";
import { ME } from "./people";
import { Talk } from "./talk";
import { FakeVault } from "./vault";

const WIRE_MS = 400;
const WAITING: OutgoingState = { state: "waiting", recallable: true };

interface Watched {
  query: Query;
  revision: number;
  rows: readonly unknown[];
}

/** Plays the console's core for a page in a plain browser: the same commands and updates, over made-up people. */
export class FakeCore implements Platform {
  link: Connection["link"] = { link: "live", since: Date.now() };
  signedIn = true;
  catchingUp = 0;
  repaired: Repaired | null = null;
  readonly vault = new FakeVault(() => this.publish());
  #talks: Talk[];
  #watched = new Map<string, Watched>();
  #listener: (update: Update) => void = () => {};
  #sent = 0;

  constructor(talks: Talk[]) {
    this.#talks = talks;
  }

  /** What a closed cache holds is not to be had. */
  get talks(): Talk[] {
    return this.vault.isOpen && this.signedIn ? this.#talks : [];
  }

  async call(command: Command): Promise<Reply> {
    const reply = await this.#do(command);
    this.publish();
    return reply;
  }

  async watch(queries: Query[], listener: (update: Update) => void) {
    if (this.#watched.size === 0) this.#listener = listener;
    const keys = new Set(queries.map((query) => JSON.stringify(query)));
    for (const key of this.#watched.keys()) if (!keys.has(key)) this.#watched.delete(key);
    for (const key of keys) {
      if (!this.#watched.has(key)) this.#watched.set(key, { query: JSON.parse(key), revision: 0, rows: [] });
    }
    setTimeout(() => this.publish());
  }

  async openLink(url: string) {
    open(url, "_blank", "noopener");
  }

  /** Sends what changed to the window. */
  publish() {
    for (const watched of this.#watched.values()) {
      const patch = this.#patch(watched);
      watched.revision += 1;
      this.#listener(structuredClone({ query: watched.query, revision: watched.revision, patch }));
    }
  }

  #patch(watched: Watched): Patch {
    const { query } = watched;
    switch (query.query) {
      case "connection":
        return { patch: "connection", connection: this.#connection() };
      case "inbox":
        return { patch: "inbox", rows: this.#step(watched, this.#rows()) };
      case "outbox":
        return {
          patch: "outbox",
          rows: this.#step(
            watched,
            this.talks.flatMap((talk) => talk.outgoing),
          ),
        };
      case "conversation": {
        const talk = this.talks.find(({ conversation }) => conversation.id === query.id);
        if (!talk) return { patch: "conversation", head: null, items: this.#step<Item>(watched, []) };
        const entries = talk.entries.slice(-query.newest);
        const items: Item[] = [
          ...entries.map((entry) => ({ item: "entry" as const, entry })),
          ...talk.outgoing.map((outgoing) => ({ item: "outgoing" as const, outgoing })),
        ];
        const head = {
          conversation: talk.conversation,
          draft: talk.draft,
          cursor: talk.cursor,
          read_upto: talk.readUpto,
          loaded_upto: talk.conversation.head,
          older: (entries[0]?.seq ?? 1) > 1,
          catching_up: false,
          typing: talk.typing,
        };
        return { patch: "conversation", head, items: this.#step(watched, items) };
      }
      case "search":
        return { patch: "search", found: found(this.talks, query.text, this.catchingUp) };
    }
  }

  /** The difference to what the window has, as one splice. */
  #step<T>(watched: Watched, next: T[]): Splice<T> {
    const splice = difference(watched.rows, next);
    watched.rows = next;
    return splice;
  }

  #connection(): Connection {
    const states = this.talks.flatMap((talk) => talk.outgoing.map(({ state }) => state.state));
    const refused = states.filter((state) => state === "refused").length;
    const limits = { text_bytes: 16_384, frame_bytes: 65_536, sends_per_s: 5 };
    const entries = this.talks.reduce((sum, talk) => sum + talk.entries.length, 0);
    const shown = this.signedIn && this.vault.isOpen;
    return {
      account: shown ? { me: ME, server: "https://chat.riverside.example", limits } : null,
      link: this.signedIn ? this.link : { link: "signed_out" },
      catching_up: this.catchingUp,
      waiting: states.length - refused,
      refused,
      history: shown ? { held: entries, all: entries } : null,
      vault: this.vault.state,
      repaired: this.repaired,
    };
  }

  #rows(): InboxRow[] {
    const order = ({ conversation: c }: Talk) => c.waiting_since ?? 1e15 - (c.last?.at ?? 0);
    return [...this.talks]
      .sort((a, b) => order(a) - order(b))
      .map((talk) => ({
        conversation: talk.conversation,
        unread: talk.entries.filter(({ seq, author }) => author.role === "patient" && seq > talk.readUpto)
          .length,
        draft: talk.draft !== "",
        outgoing: talk.outgoing.at(-1) ?? null,
      }));
  }

  async #do(command: Command): Promise<Reply> {
    const reply = await this.vault.do(command);
    if (reply) return reply;
    switch (command.command) {
      case "sign_in":
      case "sign_in_demo":
        return this.#signIn(command);
      case "sign_out": {
        const count = this.talks.flatMap((talk) => talk.outgoing).length;
        if (count > 0 && !command.discard_waiting) throw fail({ failure: "waiting_messages", count });
        this.#forget();
        return { reply: "done" };
      }
      case "reconnect":
        this.#live();
        for (const talk of this.talks) void this.#deliver(talk);
        return { reply: "done" };
      case "load_older":
        if (this.link.link !== "live") throw fail({ failure: "offline" });
        return { reply: "done" };
      case "open":
      case "typing":
        return { reply: "done" };
      case "send_text": {
        const talk = this.#talk(command.conversation);
        const hold = Date.now() + command.hold_ms;
        talk.writes(
          0,
          command.text,
          command.hold_ms ? { state: "held", until: hold } : WAITING,
          command.seen,
        );
        const id = `sent-${(this.#sent += 1)}`;
        talk.outgoing = talk.outgoing.map((one, i, all) => (i === all.length - 1 ? { ...one, id } : one));
        setTimeout(() => void this.#deliver(talk), command.hold_ms);
        return { reply: "accepted", id };
      }
      case "send_now":
      case "send_again": {
        const talk = this.#holding(command.id);
        talk.outgoing = talk.outgoing.map((one) =>
          one.id === command.id ? { ...one, state: WAITING } : one,
        );
        void this.#deliver(talk);
        return { reply: "done" };
      }
      case "recall": {
        const talk = this.#holding(command.id);
        const text = talk.outgoing
          .filter(({ id }) => id === command.id)
          .map(({ body }) => plain(body))
          .join("");
        talk.outgoing = talk.outgoing.filter(({ id }) => id !== command.id);
        talk.draft = [text, talk.draft].filter((part) => part !== "").join("\n");
        return { reply: "recalled", text };
      }
      case "send_held":
        return { reply: "done" };
      case "pause":
        this.link = { link: "paused", since: Date.now() };
        return { reply: "done" };
      case "discard": {
        const talk = this.#holding(command.id);
        talk.outgoing = talk.outgoing.filter(({ id }) => id !== command.id);
        return { reply: "done" };
      }
      case "mark_read":
        this.#talk(command.conversation).read(ME.id, command.upto);
        return { reply: "done" };
      case "save_draft":
        Object.assign(this.#talk(command.conversation), { draft: command.text, cursor: command.cursor });
        return { reply: "done" };
      // Answered above.
      case "lock":
      case "unlock":
      case "open_cache":
      case "set_passphrase":
      case "active":
        return { reply: "done" };
    }
  }

  #live() {
    this.link = { link: "live", since: Date.now() };
    if (this.vault.state.vault === "expired") this.vault.open();
  }

  #forget() {
    this.signedIn = false;
    this.vault.shred();
    for (const talk of this.#talks) Object.assign(talk, { outgoing: [], draft: "", cursor: 0 });
  }

  async #signIn(command: Extract<Command, { command: "sign_in" | "sign_in_demo" }>): Promise<Reply> {
    await wait(WIRE_MS);
    const { server } = command;
    if (!/^https?:\/\/./.test(server)) throw fail({ failure: "bad_address" });
    if (server.includes("nowhere")) throw fail({ failure: "unreachable" });
    const token = command.command === "sign_in" ? command.token : "good";
    if (token !== "good") throw fail({ failure: "refused", code: "expired" });
    this.signedIn = true;
    this.#live();
    return { reply: "done" };
  }

  /** The way of what waits: handed over, then committed. */
  async #deliver(talk: Talk) {
    if (this.link.link !== "live") return;
    const waiting = talk.outgoing.filter(
      ({ state }) => state.state === "waiting" || (state.state === "held" && state.until <= Date.now()),
    );
    if (waiting.length === 0) return;
    const ids = new Set(waiting.map(({ id }) => id));
    talk.outgoing = talk.outgoing.map((one) =>
      ids.has(one.id) ? { ...one, state: { state: "sending" } } : one,
    );
    this.publish();
    await wait(WIRE_MS);
    talk.outgoing = talk.outgoing.filter(({ id }) => !ids.has(id));
    for (const { id, body } of waiting) talk.add(ME, 0, body, "text" in body ? (body.text ?? "") : "", id);
    this.publish();
  }

  #talk(id: string): Talk {
    return this.#one((talk) => talk.conversation.id === id);
  }

  #holding(id: string): Talk {
    return this.#one((talk) => talk.outgoing.some((one) => one.id === id));
  }

  #one(wanted: (talk: Talk) => boolean): Talk {
    const talk = this.talks.find(wanted);
    if (!talk) throw fail({ failure: "not_found" });
    return talk;
  }
}
