import type { Command } from "../bindings/Command";
import type { ConversationHead } from "../bindings/ConversationHead";
import type { ConversationId } from "../bindings/ConversationId";
import type { EntryId } from "../bindings/EntryId";
import type { Failure } from "../bindings/Failure";
import type { Item } from "../bindings/Item";
import type { Missing } from "../bindings/Missing";
import type { Patch } from "../bindings/Patch";
import type { Query } from "../bindings/Query";
import type { Reply } from "../bindings/Reply";
import type { Seq } from "../bindings/Seq";
import { idOf, seqAt } from "./item";
import { spliced } from "./splice";
import type { Watches } from "./watches";

/** How many more entries are shown each time that somebody scrolls to the top. */
export const PAGE = 200;
/** Entries that are shown before the one that somebody jumps to, and after it. */
const BEFORE = 100;
const AFTER = 99;

/** Where somebody jumps to. */
export interface Jump {
  seq: Seq;
  /** How long the conversation's log is, as far as is known here. */
  head: Seq;
  /** Whether this computer doesn't keep it. */
  beyond: boolean;
}

/** The conversation on the screen. */
export class OpenConversation {
  readonly id: ConversationId;
  /** Whether the cache has answered. */
  ready = $state(false);
  /** `null` while the cache doesn't hold the conversation. */
  head = $state.raw<ConversationHead | null>(null);
  items = $state.raw<readonly Item[]>([]);
  /** How far one had read when it was opened, if that wasn't all: the line "New" stays there. */
  newAfter = $state<Seq | null>(null);
  #askedBefore = $state<EntryId | null>(null);
  readonly #first: EntryId | null = $derived(this.items[0] ? idOf(this.items[0]) : null);
  /** Whether the page before the first item was asked for and hasn't come. */
  readonly loadingOlder = $derived(this.#askedBefore !== null && this.#askedBefore === this.#first);
  /** Why older entries can't be had now. */
  olderTrouble = $state.raw<Failure | null>(null);
  /** Why not all that is wanted around the entry that somebody jumped to is shown. */
  missing = $state.raw<Missing | null>(null);
  /** Which entries were taken back by others that aren't shown. */
  takenBack = $state.raw<readonly EntryId[]>([]);
  /** The part that somebody jumped into, if that isn't the end; its `to` is `null` once it reaches that. */
  #part: { from: Seq; to: Seq | null } | null = null;
  #askedAfter = $state<Seq | null>(null);
  /** Whether the page after the last item was asked for and hasn't come. */
  readonly loadingNewer = $derived(
    this.#askedAfter !== null && this.#askedAfter === seqAt(this.items, this.items.length),
  );
  /** The newest `seq` that was on the screen. */
  inView = $state<Seq>(0);
  /** Resolves with what is in view first: before that nobody can have seen anything. */
  readonly shown: Promise<void>;
  #show = () => {};
  /** The entry that somebody jumped to, if it wasn't opened to be read on. */
  readonly target: Seq | null;
  #oldestSeen: Seq = Infinity;
  #marked: Seq = 0;
  #newest: number;
  #leave: () => void;
  #watches: Watches;
  #call: (command: Command) => Promise<Reply>;

  constructor(
    id: ConversationId,
    watches: Watches,
    call: (command: Command) => Promise<Reply>,
    jump: Jump | null = null,
  ) {
    this.id = id;
    this.target = jump?.seq ?? null;
    this.#newest = PAGE;
    // What stands near the end, and is here, is opened to be read on.
    if (jump && (jump.beyond || jump.head - jump.seq > BEFORE)) {
      const to = jump.seq + AFTER;
      // One that is kept goes on to its end, once it is in reach: what comes is part of it.
      this.#part = { from: Math.max(1, jump.seq - BEFORE), to: 0 < jump.head && jump.head <= to ? null : to };
    }
    this.#watches = watches;
    this.#call = call;
    this.shown = new Promise((resolve) => (this.#show = resolve));
    this.#leave = this.#join();
  }

  /** Whether a part is shown that somebody jumped into, not the end. */
  get apart(): boolean {
    return this.#part !== null;
  }

  close() {
    this.#leave();
  }

  /** Shows a page more, from the cache or else from the server. */
  async loadOlder() {
    if (!this.#first || !this.head?.older || this.loadingOlder || this.olderTrouble) return;
    this.#askedBefore = this.#first;
    if (this.#part) {
      this.#rejoin({ ...this.#part, from: Math.max(1, this.#part.from - PAGE) });
      return;
    }
    // Only a full window hides something that the cache has.
    if (this.items.length >= this.#newest) {
      this.#newest += PAGE;
      this.#leave();
      this.#leave = this.#join();
    }
    try {
      await this.#call({ command: "load_older", conversation: this.id });
    } catch (failure) {
      if (this.loadingOlder) this.olderTrouble = failure as Failure;
      this.#askedBefore = null;
    }
  }

  /** Shows a page more after what somebody jumped to. */
  loadNewer() {
    if (!this.#part || !this.head?.newer || this.loadingNewer) return;
    this.#askedAfter = seqAt(this.items, this.items.length);
    const to = this.#askedAfter + PAGE;
    this.#rejoin({ ...this.#part, to: to < this.head.conversation.head ? to : null });
  }

  /** Asks anew for what somebody jumped to. */
  retry = () => this.#look();

  /** Another try, because somebody asked for it or the network came back. */
  retryOlder() {
    this.olderTrouble = null;
    this.#askedBefore = null;
    void this.loadOlder();
  }

  /** The entries `from..=seq` stand on the screen. */
  see(from: Seq, seq: Seq) {
    if (from > 0) this.#oldestSeen = Math.min(this.#oldestSeen, from);
    if (seq > this.inView) this.inView = seq;
    this.#show();
  }

  /** Says that somebody has read what is in view. */
  markRead(me: string) {
    if (!this.head?.kept || this.#skipsUnread()) return;
    const upto = this.inView;
    const known = Math.max(this.#marked, this.head?.conversation.read[me] ?? 0);
    if (upto <= known) return;
    this.#marked = upto;
    this.#call({ command: "mark_read", conversation: this.id, upto }).catch(() => {
      // What was not kept is said again with the next entry in view.
      if (this.#marked === upto) this.#marked = known;
    });
  }

  /** Whether what came since one last read begins before what was on the screen: nobody has read that by a jump over it. */
  #skipsUnread(): boolean {
    return this.target !== null && this.#oldestSeen > (this.head?.read_upto ?? 0) + 1;
  }

  #rejoin(part: { from: Seq; to: Seq | null }) {
    this.#part = part;
    this.#leave();
    this.#leave = this.#join();
  }

  #join() {
    const [id, at] = [this.id, this.target];
    const query: Query =
      this.#part && at !== null
        ? { query: "passage", id, at, ...this.#part }
        : { query: "conversation", id, newest: this.#newest };
    this.#look();
    return this.#watches.join(query, (patch, snapshot) => this.#apply(patch, snapshot));
  }

  /** Has what isn't kept of the part fetched. */
  #look() {
    if (!this.#part || this.target === null) return;
    this.olderTrouble = null;
    const look = { conversation: this.id, at: this.target, ...this.#part };
    this.#call({ command: "look", ...look }).catch((failure: Failure) => (this.olderTrouble = failure));
  }

  #apply(patch: Patch, snapshot: boolean): boolean {
    if (patch.patch !== (this.#part ? "passage" : "conversation")) return false;
    if (patch.patch !== "passage" && patch.patch !== "conversation") return false;
    const items = spliced(snapshot ? [] : this.items, patch.items);
    if (!items) return false;
    const first = this.#first;
    this.items = items;
    // The cache had more than the server could give just now.
    if (this.#first !== first) this.olderTrouble = null;
    if (patch.head || snapshot) this.head = patch.head;
    this.missing = patch.patch === "passage" ? patch.missing : null;
    this.takenBack = patch.patch === "passage" ? patch.taken_back : [];
    if (patch.head && !this.ready) this.newAfter = unreadFrom(patch.head);
    this.ready = true;
    return true;
  }
}

const unreadFrom = ({ read_upto, loaded_upto, catching_up }: ConversationHead): Seq | null =>
  read_upto < loaded_upto || catching_up ? read_upto : null;
