import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Command } from "../bindings/Command";
import type { File } from "../bindings/File";
import type { Reply } from "../bindings/Reply";
import { Compose, DRAFT_DELAY_MS, DRAFT_LATEST_MS, TYPING_EVERY_MS } from "./compose.svelte";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const STORAGE = { failure: "storage" } as const;

/** A core that answers when it is told to; `log` is what it was asked, in order. */
function core() {
  const log: string[] = [];
  const cursors: number[] = [];
  const waiting: { resolve: (reply: Reply) => void; reject: (failure: unknown) => void }[] = [];
  const call = (command: Command): Promise<Reply> => {
    const about = "text" in command ? ` ${command.text}` : "";
    const files = "files" in command && command.files.length > 0 ? ` [${command.files}]` : "";
    const seen = "seen" in command ? ` @${command.seen}` : "";
    if (command.command === "save_draft") cursors.push(command.cursor);
    log.push(`${command.command}${about}${files}${seen}`);
    if (command.command === "typing") return Promise.resolve({ reply: "done" });
    return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const settle = () => vi.advanceTimersByTimeAsync(0);
  const accept = async () => {
    waiting.shift()?.resolve({ reply: "done" });
    await settle();
  };
  const refuse = async () => {
    waiting.shift()?.reject(STORAGE);
    await settle();
  };
  const drafts = () => log.filter((line) => line.startsWith("save_draft"));
  const host = { call, attach: () => Promise.reject(STORAGE) };
  return { log, cursors, host, accept, refuse, drafts };
}

test("a draft is kept once one stops typing", async () => {
  const { host, drafts } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("H");
  await vi.advanceTimersByTimeAsync(DRAFT_DELAY_MS - 1);
  compose.type("Hi");
  await vi.advanceTimersByTimeAsync(DRAFT_DELAY_MS - 1);
  expect(drafts()).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(drafts()).toEqual(["save_draft Hi"]);
});

test("a draft is kept within a second of whoever doesn't stop typing", async () => {
  const { host, drafts, accept } = core();
  const compose = new Compose("c-1", "", host);
  for (let ms = 0; ms < 1_000; ms += 100) {
    compose.type("x".repeat(ms / 100 + 1));
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(DRAFT_LATEST_MS).toBeLessThan(1_000);
  expect(drafts()).toEqual(["save_draft xxxxxxx"]);
  await accept();
  await vi.advanceTimersByTimeAsync(DRAFT_LATEST_MS);
  expect(drafts().at(-1)).toBe("save_draft xxxxxxxxxx");
});

test("the caret is kept with the text, after what is on its way", async () => {
  const { host, cursors, drafts, accept } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("Hello", 2);
  void compose.flush();
  expect(cursors).toEqual([2]);
  await accept();
  void compose.send(4);
  compose.type("and more", 3);
  void compose.flush();
  expect(drafts().at(-1)).toBe("save_draft Hello\nand more");
  expect(cursors.at(-1)).toBe("Hello\nand".length);
});

test("what is kept already isn't kept again", async () => {
  const { host, drafts } = core();
  await new Compose("c-1", "Hi", host).flush();
  expect(drafts()).toEqual([]);
});

test("two drafts are never on their way at once: the newest is written last", async () => {
  const { host, drafts, accept } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("one");
  void compose.flush();
  compose.type("two");
  void compose.flush();
  expect(drafts()).toEqual(["save_draft one"]);
  await accept();
  expect(drafts()).toEqual(["save_draft one", "save_draft two"]);
});

test("an accepted text is gone from the box and from the draft", async () => {
  const { host, log, accept } = core();
  const compose = new Compose("c-1", "Hello", host);
  void compose.send(4);
  expect(compose.text).toBe("");
  await accept();
  expect(log).toEqual(["send Hello @4", "save_draft "]);
});

test("until it is accepted, the kept draft holds the text", async () => {
  const { host, drafts, accept } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("Hello");
  void compose.send(4);
  compose.type("and more");
  void compose.flush();
  expect(drafts()).toEqual(["save_draft Hello\nand more"]);
  await accept();
  await accept();
  expect(drafts().at(-1)).toBe("save_draft and more");
  expect(compose.text).toBe("and more");
});

test("a text that isn't taken comes back before what was typed since, with the reason", async () => {
  const { host, refuse } = core();
  const compose = new Compose("c-1", "Hello", host);
  void compose.send(4);
  compose.type("and more");
  await refuse();
  expect(compose.text).toBe("Hello\nand more");
  expect(compose.trouble).toEqual(STORAGE);
});

test("two texts go one after the other; if the first fails, both come back in order", async () => {
  const { host, log, refuse } = core();
  const compose = new Compose("c-1", "one", host);
  void compose.send(4);
  compose.type("two");
  void compose.send(5);
  expect(log.filter((line) => line.startsWith("send"))).toEqual(["send one @4"]);
  await refuse();
  expect(compose.text).toBe("one\ntwo");
});

test("blank text isn't sent", async () => {
  const { host, log } = core();
  const compose = new Compose("c-1", " \n", host);
  await compose.send(4);
  expect(log).toEqual([]);
});

test("typing is told at most every few seconds", () => {
  const { host, log } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("a", 1, 0);
  compose.type("ab", 2, TYPING_EVERY_MS - 1);
  compose.type("abc", 3, TYPING_EVERY_MS);
  compose.type("", 0, 10 * TYPING_EVERY_MS);
  expect(log.filter((line) => line === "typing")).toHaveLength(2);
});

test("a draft that can't be kept says so and keeps the text", async () => {
  const { host, refuse } = core();
  const compose = new Compose("c-1", "", host);
  compose.type("Hello");
  const kept = compose.flush();
  await refuse();
  expect(await kept).toBe(false);
  expect(compose).toMatchObject({ text: "Hello", trouble: STORAGE });
});

const file = (sha256: string): File => ({ sha256, name: `${sha256}.png`, media_type: "image/png", bytes: 1 });
const shown = (compose: Compose, ...attached: string[]) =>
  compose.attachments.shown(attached.map(file)).map(({ sha256 }) => sha256);

test("files go out without a text too, and once: while they are on their way nobody sees them attached", async () => {
  const { host, log, accept } = core();
  const compose = new Compose("c-1", "", host);
  void compose.send(4, 0, ["a", "b"]);
  expect(log).toEqual(["send  [a,b] @4"]);
  expect(shown(compose, "a", "b", "c")).toEqual(["c"]);
  await accept();
  // The reply came before the head that no longer has them.
  expect(shown(compose, "a", "b")).toEqual([]);
  compose.attachments.know([file("c")]);
  // Attached once more.
  expect(shown(compose, "a", "c")).toEqual(["a", "c"]);
});

test("files that weren't taken stand there again, with those sent after them", async () => {
  const { host, refuse } = core();
  const compose = new Compose("c-1", "one", host);
  void compose.send(4, 0, ["a"]);
  compose.type("two");
  void compose.send(4, 0, ["b"]);
  expect(shown(compose, "a", "b")).toEqual([]);
  await refuse();
  expect(shown(compose, "a", "b")).toEqual(["a", "b"]);
  expect(compose.text).toBe("one\ntwo");
});

test("a file that is taken back stands there again, and those on their way don't", async () => {
  const { host, log, accept } = core();
  const compose = new Compose("c-1", "", host);
  void compose.send(4, 0, ["a"]);
  await accept();
  void compose.send(4, 0, ["b"]);
  const asked = log.length;
  compose.restore("");
  expect(shown(compose, "a", "b")).toEqual(["a"]);
  expect(log).toHaveLength(asked);
});

test("a file that is taken off can't be sent any more, unless taking it off fails", async () => {
  const { host, accept, refuse } = core();
  const compose = new Compose("c-1", "", host);
  const file = (sha256: string): File => ({ sha256, name: sha256, media_type: "image/png", bytes: 1 });
  const shown = () => compose.attachments.shown([file("a"), file("b")]).map(({ sha256 }) => sha256);
  const off = compose.detach("a");
  // The core has not come to it yet.
  expect(shown()).toEqual(["b"]);
  await accept();
  await off;
  expect(shown()).toEqual(["b"]);
  const fails = compose.detach("b").catch(({ failure }) => failure);
  expect(shown()).toEqual([]);
  await refuse();
  expect(await fails).toBe("storage");
  expect(shown()).toContain("b");
});
