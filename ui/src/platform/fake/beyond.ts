import type { Beyond } from "../../bindings/Beyond";
import type { Command } from "../../bindings/Command";
import type { Hit } from "../../bindings/Hit";
import type { Missing } from "../../bindings/Missing";
import type { Query } from "../../bindings/Query";
import type { Reach } from "../../bindings/Reach";
import { wait, WIRE_MS } from "./answer";
import type { Talk } from "./talk";
import { part } from "./views";

type Done = Extract<Command, { command: "search" | "look" | "open" | "typing" }>;
type Look = Extract<Command, { command: "look" }>;
type Passage = Extract<Query, { query: "passage" }>;

/** What the made-up server adds to what the made-up core keeps. */
export class FakeBeyond {
  /** What the server says instead of answering. */
  fault: Reach | null = null;
  /** Whether what is looked at comes; for as long as not, it is on its way. */
  gives = true;
  #text = "";
  #asked = 0;
  /** What it said to that. */
  #said: Reach | null = null;
  #look: Look | null = null;
  #came: Look | null = null;
  #online: () => boolean;
  #publish: () => void;

  constructor(online: () => boolean, publish: () => void) {
    this.#online = online;
    this.#publish = publish;
  }

  do(command: Done) {
    if (command.command === "search") void this.#search(command.text);
    else if (command.command === "look") void this.#lookAt(command);
    // Whatever was looked at, it is over.
    else if (command.command === "open") [this.#look, this.#came] = [null, null];
  }

  async #search(text: string) {
    const asked = (this.#asked += 1);
    [this.#text, this.#said] = [text, null];
    await wait(WIRE_MS);
    if (asked !== this.#asked) return;
    this.#answer();
  }

  async #lookAt(look: Look) {
    this.#look = look;
    if (this.#came?.conversation !== look.conversation || this.#came.at !== look.at) this.#came = null;
    await wait(WIRE_MS);
    this.#arrive();
  }

  #answer() {
    if (this.#online()) this.#said ??= this.fault ?? { reach: "answered", back_to: null, unindexed: 0 };
    this.#publish();
  }

  /** What couldn't be had can, once the server is reached. */
  #arrive() {
    if (this.#look && this.#online() && this.gives) this.#came = this.#look;
    this.#publish();
  }

  reconnected() {
    void wait(WIRE_MS).then(() => (this.#answer(), this.#arrive()));
  }

  /** What it adds to the hits that are kept. */
  adds(text: string, hits: Hit[]): Beyond {
    const reach = this.#reach(text);
    return { reach, hits: reach.reach === "answered" ? hits : [] };
  }

  #reach(text: string): Reach {
    if (text !== this.#text) return { reach: "unasked" };
    if (text.includes("is:unread")) return { reach: "unread" };
    return this.#said ?? { reach: this.#online() ? "asking" : "offline" };
  }

  /** What is shown of a part of a conversation: what is kept around its place, or what came. */
  passage(talks: readonly Talk[], query: Passage) {
    const { id, at, from, to } = query;
    const talk = talks.find(({ conversation }) => conversation.id === id);
    const kept = talk?.kept === true && at >= talk.keptFrom;
    const came = this.#came?.conversation === id ? this.#came : null;
    const lo = came ? came.from : kept ? Math.max(from, talk.keptFrom) : Infinity;
    const hi = kept ? Infinity : (came?.to ?? Infinity);
    const entries = talk?.entries.filter(
      ({ seq }) => seq >= Math.max(from, lo) && seq <= Math.min(to ?? Infinity, hi),
    );
    const end = Math.min(to ?? Infinity, talk?.entries.length ?? Infinity);
    const whole = entries?.at(0)?.seq === from && entries.at(-1)?.seq === end;
    const missing: Missing | null = whole ? null : { missing: this.#online() ? "fetching" : "offline" };
    const { head, items } = talk && entries ? part(talk, entries) : { head: null, items: [] };
    return { head: talk?.kept || items.length > 0 ? head : null, items, missing };
  }
}
