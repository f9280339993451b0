import type { Command } from "../../bindings/Command";
import type { Connection } from "../../bindings/Connection";
import type { History } from "../../bindings/History";
import type { Item } from "../../bindings/Item";
import type { OutgoingState } from "../../bindings/OutgoingState";
import type { Patch } from "../../bindings/Patch";
import type { Query } from "../../bindings/Query";
import type { Repaired } from "../../bindings/Repaired";
import type { Reply } from "../../bindings/Reply";
import type { Splice } from "../../bindings/Splice";
import type { Update } from "../../bindings/Update";
import type { Platform } from "../platform";
import { fail, wait, WIRE_MS } from "./answer";
import { FakeBeyond } from "./beyond";
import { deliver } from "./delivery";
import { FakeFiles } from "./files";
import { difference } from "./difference";
import { found } from "./found";
import { ME } from "./people";
import { FakeSettings } from "./settings";
import { Talk } from "./talk";
import { FakeVault } from "./vault";
import { rows, shown } from "./views";

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
  /** How much of history is here, and why no more comes; all of it otherwise. */
  history: History | null = null;
  repaired: Repaired | null = null;
  /** Empty for a server that takes no files. */
  fileLimit: { file_bytes?: number } = { file_bytes: 20_971_520 };
  readonly files = new FakeFiles();
  readonly beyond = new FakeBeyond(
    () => this.link.link === "live",
    () => this.publish(),
  );
  readonly vault = new FakeVault(() => this.publish());
  readonly settings = new FakeSettings(this.vault);
  #talks: Talk[];
  #watched = new Map<string, Watched>();
  #listener: (update: Update) => void = () => {};
  #sent = 0;

  constructor(talks: Talk[]) {
    this.#talks = talks;
  }

  /** Each takes the place of the one with the same patient, if there is one. */
  add(...talks: Talk[]) {
    const ids = new Set(talks.map(({ conversation }) => conversation.id));
    this.#talks = [...this.#talks.filter(({ conversation }) => !ids.has(conversation.id)), ...talks];
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

  async attach(conversation: string, file: globalThis.File): Promise<Reply> {
    if (!this.vault.isOpen) throw fail({ failure: "locked" });
    const kept = await this.files.keep(file);
    const talk = this.#talk(conversation);
    if (!talk.file(kept.sha256)) talk.files = [...talk.files, kept];
    this.publish();
    return { reply: "done" };
  }

  fileUrl(place: string) {
    return this.files.url(this.#file(place)?.sha256, this.link.link === "live");
  }

  async saveFile(place: string): Promise<Reply> {
    const file = this.#file(place);
    if (!file) throw fail({ failure: "not_found" });
    if (!this.files.has(file.sha256, this.link.link === "live")) throw fail({ failure: "offline" });
    return { reply: "saved", name: file.name };
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
        return { patch: "inbox", rows: this.#step(watched, rows(this.talks)) };
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
        const { head, items } = shown(talk, query.newest);
        return { patch: "conversation", head, items: this.#step(watched, items) };
      }
      case "passage": {
        const { head, items, missing } = this.beyond.passage(this.talks, query);
        return { patch: "passage", head, items: this.#step<Item>(watched, items), taken_back: [], missing };
      }
      case "search":
        return { patch: "search", found: found(this.talks, query.text, this.catchingUp, this.beyond) };
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
    const limits = { text_bytes: 16_384, frame_bytes: 65_536, sends_per_s: 5, ...this.fileLimit };
    const entries = this.talks.reduce((sum, talk) => sum + talk.entries.length, 0);
    const known = this.signedIn && this.vault.isOpen;
    return {
      account: known ? { me: ME, server: "https://chat.riverside.example", limits } : null,
      link: this.signedIn ? this.link : { link: "signed_out" },
      catching_up: this.catchingUp,
      waiting: states.length - refused,
      refused,
      history: known ? (this.history ?? { held: entries, all: entries, paused: null }) : null,
      vault: this.vault.state,
      repaired: this.repaired,
    };
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
      case "search":
      case "look":
      case "open":
      case "typing":
        this.beyond.do(command);
        return { reply: "done" };
      case "send": {
        const talk = this.#talk(command.conversation);
        const until = Date.now() + command.hold_ms;
        const state = command.hold_ms ? ({ state: "held", until } as const) : WAITING;
        for (const body of talk.bodies(command.files, command.text))
          talk.writes(0, body, state, command.seen, `sent-${(this.#sent += 1)}`);
        talk.files = talk.files.filter(({ sha256 }) => !command.files.includes(sha256));
        setTimeout(() => void this.#deliver(talk), command.hold_ms);
        return { reply: "accepted", id: `sent-${this.#sent}` };
      }
      case "send_now":
      case "send_again": {
        const talk = this.#holding(command.id);
        talk.moves(command.id, WAITING);
        void this.#deliver(talk);
        return { reply: "done" };
      }
      case "recall": {
        return { reply: "recalled", text: this.#holding(command.id).recalls(command.id) };
      }
      case "send_held":
        return { reply: "done" };
      case "pause":
        this.link = { link: "paused", since: Date.now() };
        return { reply: "done" };
      case "discard":
        this.#holding(command.id).without(command.id);
        return { reply: "done" };
      case "detach": {
        const talk = this.#talk(command.conversation);
        talk.files = talk.files.filter(({ sha256 }) => sha256 !== command.sha256);
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
      case "system_unlock":
      case "unlock_by_system":
      case "set_passphrase":
      case "active":
        return { reply: "done" };
      case "settings":
        return this.settings.reply();
      case "set":
        return this.settings.set(command.setting);
    }
  }

  #live() {
    this.link = { link: "live", since: Date.now() };
    this.beyond.reconnected();
    if (this.vault.state.vault === "expired") this.vault.open();
  }

  #forget() {
    this.signedIn = false;
    this.vault.shred();
    for (const talk of this.#talks) Object.assign(talk, { outgoing: [], draft: "", cursor: 0, files: [] });
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

  #deliver = (talk: Talk) => (this.link.link === "live" ? deliver(talk, this) : undefined);

  #talk(id: string): Talk {
    return this.#one((talk) => talk.conversation.id === id);
  }

  #file(place: string) {
    const [conversation, of = ""] = place.split("/");
    return this.talks.find((talk) => talk.conversation.id === conversation)?.file(of);
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
