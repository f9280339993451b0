import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Account } from "../bindings/Account";
import type { Command } from "../bindings/Command";
import type { Connection } from "../bindings/Connection";
import type { Query } from "../bindings/Query";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";
import type { Vault } from "../bindings/Vault";
import type { Platform } from "../platform";
import { DRAFT_DELAY_MS } from "./compose.svelte";
import { Desk } from "./desk.svelte";
import { ME } from "./fixtures";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const CONVERSATIONS = ["c-ana", "c-ben", "c-cem"];

/** Small, seeded, and the same everywhere. */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A core that answers late and in any order, sometimes with a failure; it keeps an outbox of what it took. */
class LateCore implements Platform {
  given: Command[] = [];
  outbox = new Map<string, { conversation: string; text: string; files: string[] }>();
  /** What is attached to each draft; a file's name stands for its digest. */
  attached = new Map(CONVERSATIONS.map((id) => [id, [] as string[]]));
  /** To which conversation each file came. */
  came: (readonly [string, string])[] = [];
  #open: ((pick: (below: number) => number) => void)[] = [];
  #ids = 0;

  call(command: Command): Promise<Reply> {
    this.given.push(command);
    return new Promise((resolve, reject) => {
      this.#open.push((pick) => {
        if (command.command === "send") {
          const { conversation, text, files } = command;
          const there = this.attached.get(conversation) ?? [];
          if (files.some((file) => !there.includes(file))) return reject({ failure: "not_found" });
          if (pick(6) === 0) return reject({ failure: "storage" });
          const id = `m-${(this.#ids += 1)}`;
          this.outbox.set(id, { conversation, text, files });
          this.attached.set(
            conversation,
            there.filter((file) => !files.includes(file)),
          );
          return resolve({ reply: "accepted", id });
        }
        if (command.command === "recall") {
          const row = this.outbox.get(command.id);
          if (!row || pick(4) === 0) return reject({ failure: "on_its_way" });
          this.outbox.delete(command.id);
          this.attached.get(row.conversation)?.push(...row.files);
          return resolve({ reply: "recalled", text: row.text });
        }
        return pick(9) === 0 ? reject({ failure: "storage" }) : resolve({ reply: "done" });
      });
    });
  }

  attach(conversation: string, { name }: File): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#open.push((pick) => {
        this.came.push([conversation, name]);
        if (pick(5) === 0) return reject({ failure: "storage" });
        this.attached.get(conversation)?.push(name);
        resolve({ reply: "done" });
      });
    });
  }

  async watch() {}
  async openLink() {}
  fileUrl = () => "";
  saveFile = () => Promise.reject();

  async answer(pick: (below: number) => number) {
    this.#open.splice(pick(this.#open.length), 1)[0]?.(pick);
    await vi.advanceTimersByTimeAsync(0);
  }

  get asked() {
    return this.#open.length;
  }
}

/** A person types, sends, takes back and changes the conversation at any moment, while the core answers when it likes. */
async function run(seed: number) {
  const pick = random(seed);
  const core = new LateCore();
  const desk = new Desk(core);
  const typed: string[] = [];
  const chosen: string[] = [];
  let files = 0;
  const attached = (id: string) =>
    (core.attached.get(id) ?? []).map((sha256) => ({ sha256, name: sha256, media_type: "", bytes: 1 }));
  const digests = (id: string) =>
    compose(id)
      .attachments.shown(attached(id))
      .map(({ sha256 }) => sha256);
  const compose = (id: string) => desk.composeFor(id, "");
  for (let step = 0; step < 120; step++) {
    const open = desk.open?.id;
    switch (pick(10)) {
      case 0:
      case 1:
        desk.openConversation(CONVERSATIONS[pick(CONVERSATIONS.length)] ?? "");
        break;
      case 2:
      case 3:
        if (open) {
          // Each word says where it was typed.
          const word = `${open}/${typed.push(open)}`;
          compose(open).type([compose(open).text, word].filter(Boolean).join(" "));
        }
        break;
      case 4:
        if (open) void compose(open).send(0, 0, digests(open));
        break;
      case 7:
        // A file says where it was chosen, too.
        if (open) {
          const name = `${open}/f${(files += 1)}`;
          const room = { file_bytes: 9, attached: 0 };
          void compose(open).attachments.add([new File(["x"], name)], room);
          // Too many wait for the core: it is said at once, and nothing is asked.
          const { missed } = compose(open).attachments;
          if (!missed.some((file) => file.name === name)) chosen.push(name);
        }
        break;
      case 5: {
        const [id, row] = [...core.outbox][pick(core.outbox.size)] ?? [];
        if (id && row) void desk.recall(id, row.conversation);
        break;
      }
      case 6:
        await vi.advanceTimersByTimeAsync(pick(2) * DRAFT_DELAY_MS);
        break;
      default:
        if (core.asked > 0) await core.answer(pick);
    }
    for (const id of CONVERSATIONS) compose(id).attachments.know(attached(id));
  }
  while (core.asked > 0) await core.answer((below) => below - 1);
  return { core, typed, chosen, left: CONVERSATIONS.map((id) => [id, compose(id).text] as const) };
}

const words = (text: string) => text.split(/\s+/).filter(Boolean);

test("no text or file ever goes to, or is kept for, another conversation than it was typed in, and none is lost", async () => {
  let [sent, withFiles] = [0, 0];
  for (let seed = 1; seed <= 100; seed++) {
    const { core, typed, chosen, left } = await run(seed);
    const places: (readonly [string, string])[] = [
      ...core.given.flatMap((command) =>
        command.command === "send" || command.command === "save_draft"
          ? [[command.conversation, command.text] as const]
          : [],
      ),
      ...[...core.outbox.values()].map(({ conversation, text }) => [conversation, text] as const),
      ...left,
    ];
    for (const [conversation, text] of places) {
      const strangers = words(text).filter((word) => !word.startsWith(`${conversation}/`));
      expect(strangers, `seed ${seed}, ${conversation}`).toEqual([]);
    }
    for (const [conversation, name] of core.came)
      expect(name.startsWith(`${conversation}/`), name).toBe(true);
    expect(core.came, `seed ${seed}`).toHaveLength(chosen.length);
    for (const { conversation, files } of core.outbox.values()) {
      expect(files.filter((file) => !file.startsWith(`${conversation}/`))).toEqual([]);
      withFiles += files.length;
    }
    // Each file that was kept is in one place: sent, or still attached.
    const kept = [
      ...[...core.outbox.values()].flatMap(({ files }) => files),
      ...[...core.attached.values()].flat(),
    ];
    expect(new Set(kept).size, `seed ${seed}`).toBe(kept.length);
    // Each word is in one place: sent, or still in its composer.
    const ends = [...[...core.outbox.values()].map(({ text }) => text), ...left.map(([, text]) => text)];
    expect(ends.flatMap(words).sort(), `seed ${seed}`).toEqual(
      typed.map((open, n) => `${open}/${n + 1}`).sort(),
    );
    sent += core.outbox.size;
  }
  expect(sent).toBeGreaterThan(100);
  expect(withFiles).toBeGreaterThan(100);
}, 60_000);

const ACCOUNT: Account = {
  me: ME,
  server: "https://chat.example.org",
  limits: { text_bytes: 100, frame_bytes: 100, sends_per_s: 1 },
};
const OPEN: Vault = { vault: "open", keeper: "keychain", opener: "passphrase", idle_minutes: 10 };
const LOCKED: Vault = { vault: "locked", by: "sleep", opener: "passphrase", waiting: 0 };

/** A core that says what it is told to, and does nothing while it is closed. */
class Said implements Platform {
  given: Command[] = [];
  #vault: Vault = OPEN;
  #listener: (update: Update) => void = () => {};
  #revision = 0;

  async call(command: Command): Promise<Reply> {
    this.given.push(command);
    if (this.#vault.vault !== "open") throw { failure: "locked" };
    return { reply: "done" };
  }

  async watch(_queries: Query[], listener: (update: Update) => void) {
    if (this.#revision === 0) this.#listener = listener;
  }

  async openLink() {}
  fileUrl = () => "";
  saveFile = (): Promise<Reply> => Promise.resolve({ reply: "saved", name: "a.png" });

  /** Answers once `attached` is called. */
  attach = (): Promise<Reply> =>
    new Promise((resolve, reject) => {
      this.attached = () =>
        this.#vault.vault === "open" ? resolve({ reply: "done" }) : reject({ failure: "locked" });
    });
  attached = () => {};

  async says(vault: Vault, account: Account | null = vault.vault === "open" ? ACCOUNT : null) {
    await vi.advanceTimersByTimeAsync(0);
    this.#vault = vault;
    const connection: Connection = {
      account,
      link: { link: "live", since: 0 },
      catching_up: 0,
      waiting: 0,
      refused: 0,
      history: null,
      vault,
      repaired: null,
    };
    this.#revision += 1;
    const patch = { patch: "connection", connection } as const;
    this.#listener({ query: { query: "connection" }, revision: this.#revision, patch });
    await vi.advanceTimersByTimeAsync(0);
  }

  drafts = () => this.given.flatMap((command) => (command.command === "save_draft" ? [command.text] : []));
}

async function desk() {
  const core = new Said();
  const desk = new Desk(core);
  await core.says(OPEN);
  desk.openConversation("c-ana");
  return { core, desk };
}

test("what is typed is kept before it is locked, and then no longer held", async () => {
  const { core, desk: it } = await desk();
  it.composeFor("c-ana", "").type("Hello");
  it.searchFor("Ana");
  await it.lock();
  expect(core.given.map(({ command }) => command).slice(-2)).toEqual(["save_draft", "lock"]);
  await core.says(LOCKED);
  expect(it).toMatchObject({ open: null, search: "", found: null, rows: [], outbox: [] });
  await core.says(OPEN);
  expect(it.open?.id).toBe("c-ana");
  // What the core has kept is what it opens with.
  expect(it.composeFor("c-ana", "as kept").text).toBe("as kept");
});

test("what the disk didn't have when it was locked is kept once it opens, for the same account alone", async () => {
  for (const next of [ACCOUNT, { ...ACCOUNT, me: { ...ME, id: "p-102" } }, null]) {
    const { core, desk: it } = await desk();
    it.composeFor("c-ana", "").type("Hello");
    await core.says(LOCKED);
    await vi.advanceTimersByTimeAsync(2 * DRAFT_DELAY_MS);
    core.given = [];
    await core.says(OPEN, next);
    const same = next === ACCOUNT;
    expect(core.drafts()).toEqual(same ? ["Hello"] : []);
    expect(it.composeFor("c-ana", "").text).toBe(same ? "Hello" : "");
    expect(it.open?.id ?? null).toBe(same ? "c-ana" : null);
  }
});

test("a file that was on its way when it was locked is said not to be attached, to the same account alone", async () => {
  for (const next of [ACCOUNT, { ...ACCOUNT, me: { ...ME, id: "p-102" } }]) {
    const { core, desk: it } = await desk();
    void it
      .composeFor("c-ana", "")
      .attachments.add([new File(["x"], "a.png")], { file_bytes: 9, attached: 0 });
    await core.says(LOCKED);
    core.attached();
    await core.says(OPEN, next);
    const { missed, busy } = it.composeFor("c-ana", "").attachments;
    expect(busy).toBe(false);
    expect(missed.map(({ name }) => name)).toEqual(next === ACCOUNT ? ["a.png"] : []);
  }
});

test("a file that was saved is said by its name, and that isn't a fault", async () => {
  const { desk: it } = await desk();
  await it.saveFile("c-ana/e-1");
  expect(it.notice).toEqual({ words: "Saved to Downloads as \u2068a.png\u2069", wrong: false });
});

test("a cache that is made anew gets what is typed again", async () => {
  const { core, desk: it } = await desk();
  it.composeFor("c-ana", "").type("Hello");
  await it.flush();
  await core.says({ vault: "opening" });
  await core.says(OPEN);
  expect(core.drafts()).toEqual(["Hello", "Hello"]);
  expect(it.composeFor("c-ana", "").text).toBe("Hello");
});
