import { createContext } from "svelte";
import type { Account } from "../bindings/Account";
import type { Command } from "../bindings/Command";
import type { Connection } from "../bindings/Connection";
import type { ConversationId } from "../bindings/ConversationId";
import type { EntryId } from "../bindings/EntryId";
import type { Failure } from "../bindings/Failure";
import type { Found } from "../bindings/Found";
import type { InboxRow } from "../bindings/InboxRow";
import type { Outgoing } from "../bindings/Outgoing";
import type { Seq } from "../bindings/Seq";
import type { Platform } from "../platform";
import { shownName } from "../parts/file";
import { failureWords } from "../parts/words";
import { Compose } from "./compose.svelte";
import { type Jump, OpenConversation } from "./conversation.svelte";
import { together } from "./item";
import { spliced } from "./splice";
import { Watches } from "./watches";

/** How long a notice stands in the status line. */
const NOTICE_MS = 8_000;

/** All that the window knows; every part of it is made from what the core says. */
export class Desk {
  /** `null` until the core has answered. */
  connection = $state.raw<Connection | null>(null);
  rows = $state.raw<readonly InboxRow[]>([]);
  outbox = $state.raw<readonly Outgoing[]>([]);
  open = $state.raw<OpenConversation | null>(null);
  /** What is searched for; empty while nobody searches. */
  search = $state("");
  /** What the core found, of this search or of the one before it; `null` before the first answer. */
  found = $state.raw<Found | null>(null);
  /** What that was searched for. */
  foundFor = $state("");
  /** What happened just now, in words, and whether it went wrong. */
  notice = $state.raw({ words: "", wrong: false });
  /** Whether the server can be asked for what isn't here. */
  readonly online: boolean = $derived(this.connection?.link.link === "live");
  readonly account: Account | null = $derived(this.connection?.account ?? null);
  #platform: Platform;
  #watches: Watches;
  #leaveSearch = () => {};
  #leaveLists = () => {};
  /** Whether the cache is closed, so that nothing of it may be shown. */
  #covered = true;
  /** Whose account was shown last. */
  #whose: string | undefined;
  /** What was open when it closed. */
  #before: ConversationId | null = null;
  #composes = new Map<ConversationId, Compose>();
  #noticeTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(platform: Platform) {
    this.#platform = platform;
    this.#watches = new Watches(platform);
    this.#watches.join({ query: "connection" }, (patch) => {
      if (patch.patch !== "connection") return false;
      this.#connect(patch.connection);
      return true;
    });
    this.#joinLists();
  }

  call = (command: Command) => this.#platform.call(command);

  attach = (conversation: ConversationId, file: File) => this.#platform.attach(conversation, file);

  /** For what has no place of its own to say that it failed: then the status line says so. Answers whether it worked. */
  async attempt(doing: Promise<unknown>): Promise<boolean> {
    try {
      await doing;
      return true;
    } catch (failure) {
      this.tell(failureWords(failure as Failure));
      return false;
    }
  }

  tell(words: string, wrong = true) {
    clearTimeout(this.#noticeTimer);
    this.notice = { words, wrong };
    this.#noticeTimer = setTimeout(() => this.#hush(), NOTICE_MS);
  }

  /** Searches for `text`, and goes on doing so as messages come. */
  searchFor(text: string) {
    const searched = this.search.trim() !== "";
    this.search = text;
    this.#leaveSearch();
    this.#leaveSearch = () => {};
    if (searched || text.trim() !== "") this.searchServer();
    if (text.trim() === "") {
      this.found = null;
      return;
    }
    this.#leaveSearch = this.#watches.join({ query: "search", text }, (patch) => {
      if (patch.patch !== "search") return false;
      this.found = patch.found;
      this.foundFor = text;
      return true;
    });
  }

  /** Has the server asked too for what is searched for; again, if it didn't answer. The core says what became of it. */
  searchServer = () => void this.call({ command: "search", text: this.search }).catch(() => {});

  /** Opens a conversation where one begins to read, or at the entry `seq`, which this computer may not keep. */
  openConversation(id: ConversationId, seq: Seq | null = null, beyond = false) {
    if (this.open?.id === id && !this.open.apart && seq === null) return;
    const head = this.rows.find((row) => row.conversation.id === id)?.conversation.head ?? 0;
    this.#show(id, seq === null ? null : { seq, head, beyond });
  }

  /** From where somebody jumped to, to the end of the same conversation. */
  toNewest = () => this.open && this.#show(this.open.id, null);

  /** What is being written to a conversation; `draft` is what the core has kept of it. */
  composeFor(id: ConversationId, draft: string, cursor?: number): Compose {
    let compose = this.#composes.get(id);
    if (!compose) {
      compose = new Compose(id, draft, this, cursor);
      this.#composes.set(id, compose);
    }
    return compose;
  }

  /** Keeps everything typed, before the window may go. */
  flush = () => Promise.all([...this.#composes.values()].map((compose) => compose.flush()));

  /** Locks, after all that is typed was kept. It locks without that too: whoever locks walks away. */
  lock = async () => {
    await this.flush();
    return this.attempt(this.call({ command: "lock" }));
  };

  /** Tells the core that somebody is here. A lost one costs nothing: the next comes soon. */
  isHere = () => void this.call({ command: "active" }).catch(() => {});

  /** Takes a message back: into its conversation's composer, or the draft that it will open with. */
  recall = (id: EntryId, conversation: ConversationId) =>
    this.attempt(
      this.call({ command: "recall", id }).then((reply) => {
        if (reply.reply === "recalled") this.#composes.get(conversation)?.restore(reply.text);
      }),
    );

  /** Undoes one Enter: all that it wrote comes back, as long as it is held. */
  undo = async (id: EntryId, conversation: ConversationId) => {
    const items = this.open?.id === conversation ? this.open.items : [];
    for (const each of together(items, id, Date.now())) await this.recall(each, conversation);
  };

  discard = (id: EntryId) => this.attempt(this.call({ command: "discard", id }));

  detach = (conversation: ConversationId, sha256: string) =>
    this.attempt(this.#composes.get(conversation)?.detach(sha256) ?? Promise.resolve());

  fileUrl = (place: string) => this.#platform.fileUrl(place);

  saveFile = (place: string) =>
    this.attempt(
      this.#platform.saveFile(place).then((reply) => {
        if (reply.reply === "saved") this.tell(`Saved to Downloads as ${shownName(reply.name)}`, false);
      }),
    );

  openLink = (url: string) =>
    this.#platform.openLink(url).catch(() => this.tell("The system has no browser that opens this address."));

  #hush() {
    this.notice = { words: "", wrong: false };
  }

  #show(id: ConversationId, jump: Jump | null) {
    this.#leave();
    void this.attempt(this.call({ command: "open", conversation: id }));
    this.open = new OpenConversation(id, this.#watches, this.call, jump);
  }

  #leave() {
    if (!this.open) return;
    void this.#composes.get(this.open.id)?.flush();
    this.open.close();
    this.open = null;
  }

  #joinLists() {
    const inbox = this.#watches.join({ query: "inbox" }, (patch, snapshot) => {
      const rows = patch.patch === "inbox" ? spliced(snapshot ? [] : this.rows, patch.rows) : null;
      if (rows) this.rows = rows;
      return rows !== null;
    });
    const outbox = this.#watches.join({ query: "outbox" }, (patch, snapshot) => {
      const rows = patch.patch === "outbox" ? spliced(snapshot ? [] : this.outbox, patch.rows) : null;
      if (rows) this.outbox = rows;
      return rows !== null;
    });
    this.#leaveLists = () => (inbox(), outbox());
  }

  #connect(connection: Connection) {
    this.connection = connection;
    const { vault } = connection.vault;
    if (vault === "open") {
      const whose = connection.account?.me.id;
      if (whose !== this.#whose) this.#forget();
      this.#whose = whose;
      this.#uncover();
    } else {
      this.#cover();
      // A cache that is made anew opens again by itself, in a moment.
      if (vault !== "opening") this.#dropKept();
    }
  }

  #cover() {
    if (this.#covered) return;
    this.#covered = true;
    this.#before = this.open?.id ?? null;
    this.#close();
    this.#leaveLists();
    [this.rows, this.outbox] = [[], []];
    this.#joinLists();
  }

  #uncover() {
    if (!this.#covered) return;
    this.#covered = false;
    this.#hush();
    for (const compose of this.#composes.values()) compose.keepAnew();
    if (this.#before) this.openConversation(this.#before);
    this.#before = null;
  }

  /** What the disk has leaves the memory. What it couldn't take any more stays, unseen, until it can. */
  #dropKept() {
    for (const [id, compose] of this.#composes) {
      if (!compose.kept) continue;
      compose.abandon();
      this.#composes.delete(id);
    }
  }

  /** Nothing of one account is shown to another. */
  #forget() {
    this.#close();
    this.#before = null;
    for (const compose of this.#composes.values()) compose.abandon();
    this.#composes.clear();
  }

  #close() {
    this.open?.close();
    this.open = null;
    this.searchFor("");
  }
}

export const [useDesk, provideDesk] = createContext<Desk>();
