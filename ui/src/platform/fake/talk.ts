import type { Body } from "../../bindings/Body";
import type { Conversation } from "../../bindings/Conversation";
import type { File } from "../../bindings/File";
import type { Entry } from "../../bindings/Entry";
import type { Me } from "../../bindings/Me";
import type { Outgoing } from "../../bindings/Outgoing";
import type { OutgoingState } from "../../bindings/OutgoingState";
import type { Patient } from "../../bindings/Patient";
import type { TypingFrame } from "../../bindings/TypingFrame";
import { fail } from "./answer";
import { ME, SYSTEM } from "./people";

type Who = Pick<Me, "id" | "name" | "role">;

let revs = 0;
export const nextRev = () => (revs += 1);

/** One made-up conversation, as the core would hold it. */
export class Talk {
  conversation: Conversation;
  entries: Entry[] = [];
  outgoing: Outgoing[] = [];
  draft = "";
  /** Where in the draft the caret stood. */
  cursor = 0;
  /** What is attached to the draft. */
  files: File[] = [];
  typing: TypingFrame | null = null;
  /** The oldest entry that the core keeps; the server has those before it. */
  keptFrom = 1;
  /** Whether the core keeps anything of it. */
  kept = true;

  constructor(patient: Patient) {
    this.conversation = {
      id: patient.id.replace("u-", "c-"),
      rev: nextRev(),
      head: 0,
      patient,
      state: "open",
      assigned: null,
      urgency: null,
      waiting_since: null,
      last: null,
      read: {},
    };
  }

  /** `who` says `body`, `ago` minutes ago. */
  add(who: Who, ago: number, body: Body, preview: string, id?: string): this {
    const seq = this.entries.length + 1;
    const at = Date.now() - ago * 60_000;
    const author = { id: who.id, name: who.name, role: who.role };
    const conversation = this.conversation.id;
    const rev = nextRev();
    this.entries = [
      ...this.entries,
      { conversation, seq, rev, id: id ?? `${conversation}-${seq}`, at, author, body, preview },
    ];
    const answered = who.role === "provider" && body.kind === "text";
    const waits =
      who.role === "patient" ? (this.conversation.waiting_since ?? at) : this.conversation.waiting_since;
    this.change({ head: seq, last: { seq, at, author, preview }, waiting_since: answered ? null : waits });
    return this;
  }

  says(ago: number, text: string): this {
    const { id, name } = this.conversation.patient;
    return this.add({ id, name, role: "patient" }, ago, { kind: "text", text }, text);
  }

  answers(ago: number, text: string, who: Who = ME): this {
    return this.add(who, ago, { kind: "text", text }, text);
  }

  told(ago: number, minutes: number): this {
    const text = `Thank you. A clinician will answer in about ${minutes} minutes.`;
    return this.add(SYSTEM, ago, { kind: "wait", minutes, text }, text);
  }

  writes(
    ago: number,
    said: string | Body,
    state: OutgoingState,
    seen = this.entries.length,
    id = `${this.conversation.id}-out-${this.outgoing.length + 1}`,
  ): this {
    const at = Date.now() - ago * 60_000;
    const conversation = this.conversation.id;
    const body = typeof said === "string" ? { kind: "text" as const, text: said } : said;
    this.outgoing = [...this.outgoing, { id, conversation, body, at, seen, state }];
    return this;
  }

  /** Changes how far a message is; answers whether it still is on its way. */
  moves(id: string, state: OutgoingState): boolean {
    this.outgoing = this.outgoing.map((one) => (one.id === id ? { ...one, state } : one));
    return this.outgoing.some((one) => one.id === id);
  }

  /** Takes a message out of those on their way. */
  without(id: string): Body | undefined {
    const body = this.outgoing.find((one) => one.id === id)?.body;
    this.outgoing = this.outgoing.filter((one) => one.id !== id);
    return body;
  }

  /** Brings a message that hasn't gone back to the draft; its text. */
  recalls(id: string): string {
    const body = this.without(id);
    if (body?.kind === "file") this.files = [...this.files, body];
    const text = body?.kind === "text" ? body.text : "";
    this.draft = [text, this.draft].filter((part) => part !== "").join("\n");
    return text;
  }

  /** What is sent at once: these files of the draft, and a text. */
  bodies(files: string[], text: string): Body[] {
    const bodies = files.map((sha256): Body => {
      const file = this.file(sha256);
      if (!file) throw fail({ failure: "not_found" });
      return { kind: "file", ...file };
    });
    return text.trim() === "" ? bodies : [...bodies, { kind: "text", text }];
  }

  /** The file of a message, or the one of this digest that is attached to the draft. */
  file(of: string): File | undefined {
    const bodies = [...this.entries, ...this.outgoing].flatMap(({ id, body }) => (id === of ? [body] : []));
    const said = bodies.flatMap((body) => (body.kind === "file" ? [body] : []));
    return said[0] ?? this.files.find(({ sha256 }) => sha256 === of);
  }

  read(who: string, upto = this.entries.length): this {
    return this.change({ read: { ...this.conversation.read, [who]: upto } });
  }

  change(changes: Partial<Conversation>): this {
    this.conversation = { ...this.conversation, ...changes, rev: nextRev() };
    return this;
  }

  get readUpto(): number {
    return this.conversation.read[ME.id] ?? 0;
  }
}
