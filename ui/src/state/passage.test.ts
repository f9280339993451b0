import { expect, test, vi } from "vitest";
import type { Command } from "../bindings/Command";
import type { ConversationHead } from "../bindings/ConversationHead";
import type { Missing } from "../bindings/Missing";
import type { Query } from "../bindings/Query";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";
import type { Platform } from "../platform";
import { type Jump, OpenConversation, PAGE } from "./conversation.svelte";
import { conversation, logged, ME } from "./fixtures";
import { Watches } from "./watches";

const ID = "c-300";
const HEAD = 5_000;

/** A core that holds a log of `HEAD` entries, and gives of it what it is told to. */
class Core implements Platform {
  given: Command[] = [];
  watched: Query[] = [];
  listen: (update: Update) => void = () => {};

  async call(command: Command): Promise<Reply> {
    this.given.push(command);
    return { reply: "done" };
  }
  async watch(queries: Query[], listener: (update: Update) => void) {
    if (this.watched.length === 0) this.listen = listener;
    this.watched = queries;
  }
  attach = () => Promise.reject();
  saveFile = () => Promise.reject();
  fileUrl = () => "";
  openLink = async () => {};

  looks = () => this.given.flatMap((command) => (command.command === "look" ? [command] : []));

  /** Shows the entries `from..=to` of what is watched. */
  async shows(
    from: number,
    to: number,
    missing: Missing | null = null,
    changes: Partial<ConversationHead> = {},
  ) {
    await vi.waitFor(() => expect(this.watched).toHaveLength(1));
    const query = this.watched[0];
    if (query?.query !== "passage") throw new Error("no passage is watched");
    const insert = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => logged(from + i));
    const head: ConversationHead = {
      conversation: conversation(ID, { head: HEAD }),
      draft: "",
      cursor: 0,
      files: [],
      read_upto: HEAD,
      loaded_upto: HEAD,
      older: from > 1,
      newer: to < HEAD,
      kept: true,
      catching_up: false,
      typing: null,
      ...changes,
    };
    this.listen({
      query,
      revision: 1,
      patch: { patch: "passage", head, items: { at: 0, remove: 0, insert }, taken_back: [], missing },
    });
  }
}

function opened(jump: Jump | null) {
  const core = new Core();
  return { core, open: new OpenConversation(ID, new Watches(core), core.call.bind(core), jump) };
}

test.each<[string, Jump | null, boolean]>([
  ["to read on", null, false],
  ["a hit near the end", { seq: HEAD - 20, head: HEAD, beyond: false }, false],
  ["a far hit", { seq: 700, head: HEAD, beyond: false }, true],
  ["a near hit that isn't kept", { seq: HEAD - 20, head: HEAD, beyond: true }, true],
])("what is watched: %s", async (_, jump, part) => {
  const { core } = opened(jump);
  await vi.waitFor(() => expect(core.watched).toHaveLength(1));
  expect(core.watched[0]?.query).toBe(part ? "passage" : "conversation");
  expect(core.looks()).toHaveLength(part ? 1 : 0);
});

test("a jump shows a hundred before and after, and goes on both ways to the end", async () => {
  const { core, open } = opened({ seq: 700, head: HEAD, beyond: false });
  expect(core.looks()[0]).toMatchObject({ at: 700, from: 600, to: 799 });
  await core.shows(600, 799);
  expect(open.items).toHaveLength(200);

  void open.loadOlder();
  void open.loadOlder();
  expect(core.looks().slice(1)).toMatchObject([{ from: 600 - PAGE, to: 799 }]);
  expect(open.loadingOlder).toBe(true);
  await core.shows(600 - PAGE, 799);
  expect(open.loadingOlder).toBe(false);

  open.loadNewer();
  open.loadNewer();
  expect(core.looks().slice(2)).toMatchObject([{ from: 600 - PAGE, to: 799 + PAGE }]);
  await core.shows(600 - PAGE, HEAD - 10);
  open.loadNewer();
  expect(core.looks().at(-1)).toMatchObject({ to: null });
  await core.shows(600 - PAGE, HEAD);
  open.loadNewer();
  expect(core.looks()).toHaveLength(4);
});

test("at the start of a log nothing before it is asked for", async () => {
  const { core, open } = opened({ seq: 3, head: HEAD, beyond: false });
  expect(core.looks()[0]).toMatchObject({ from: 1 });
  await core.shows(1, 102);
  void open.loadOlder();
  expect(core.looks()).toHaveLength(1);
});

test("what isn't here is said, and marks nothing read", async () => {
  const { core, open } = opened({ seq: 700, head: HEAD, beyond: true });
  await core.shows(600, 599, { missing: "offline" });
  expect(open.items).toEqual([]);
  expect(open.missing).toEqual({ missing: "offline" });
  await core.shows(600, 799, null, { kept: false });
  expect(open.missing).toBeNull();
  open.see(600, 799);
  open.markRead(ME.id);
  expect(core.given.filter(({ command }) => command === "mark_read")).toEqual([]);
  open.retry();
  expect(core.looks()).toHaveLength(2);
});

test.each([
  ["far, and read long before it", { seq: 700, head: HEAD, beyond: false }, 500],
  ["far, and read up to somewhat before it", { seq: 700, head: HEAD, beyond: false }, 610],
])("a jump marks read only what follows on what one read: %s", async (_, jump, read_upto) => {
  const { core, open } = opened(jump);
  const marks = () => core.given.filter(({ command }) => command === "mark_read");
  await core.shows(600, 799, null, { read_upto });
  open.see(695, 705);
  open.markRead(ME.id);
  expect(marks()).toEqual([]);
  open.see(read_upto + 1, read_upto + 11);
  open.markRead(ME.id);
  expect(marks()).toMatchObject([{ upto: 705 }]);
});

test("a jump that reaches the end goes on with it", () => {
  const { core } = opened({ seq: HEAD - 20, head: HEAD, beyond: true });
  expect(core.looks()[0]).toMatchObject({ to: null });
});
