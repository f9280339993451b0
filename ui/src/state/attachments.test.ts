import { expect, test } from "vitest";
import type { Reply } from "../bindings/Reply";
import { Attachments, MOST_FILES } from "./attachments.svelte";

const DONE: Reply = { reply: "done" };
const LIMIT = 10;
const ROOM = { file_bytes: LIMIT, attached: 0 };
const file = (name: string, size = 1) => new File(["x".repeat(size)], name);

/** A host that answers when it is told to; `asked` is what it was given, in order. */
function host() {
  const asked: string[] = [];
  const waiting: { resolve: (reply: Reply) => void; reject: (error: unknown) => void }[] = [];
  const attach = (conversation: string, { name }: File) => {
    asked.push(`${conversation} ${name}`);
    return new Promise<Reply>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const settle = () => new Promise((resolve) => setTimeout(resolve));
  const take = async () => {
    waiting.shift()?.resolve(DONE);
    await settle();
  };
  const refuse = async (error: unknown) => {
    waiting.shift()?.reject(error);
    await settle();
  };
  return { asked, attach, take, refuse };
}

const names = (files: readonly { name: string }[]) => files.map(({ name }) => name);
const missed = (attachments: Attachments) =>
  attachments.missed.map(({ name, obstacle }) => `${name}: ${obstacle.failure}`);

test("files are attached one after the other, in their order, to their conversation", async () => {
  const { asked, attach, take } = host();
  const attachments = new Attachments("c-1", attach);
  void attachments.add([file("a"), file("b")], ROOM);
  void attachments.add([file("c")], ROOM);
  expect(asked).toEqual(["c-1 a"]);
  expect(names(attachments.coming)).toEqual(["a", "b", "c"]);
  await take();
  expect(asked).toEqual(["c-1 a", "c-1 b"]);
  await take();
  await take();
  expect(asked.at(-1)).toBe("c-1 c");
  expect(attachments.busy).toBe(false);
});

test.each([
  ["empty", file("a", 0), ROOM, "empty_file"],
  ["too large", file("a", LIMIT + 1), ROOM, "bad_file"],
  ["one too many", file("a"), { ...ROOM, attached: MOST_FILES }, "too_many_files"],
  ["for a server that takes none", file("a"), { attached: 0 }, "no_files"],
])("a file that is %s is not even read", async (_, one, room, failure) => {
  const { asked, attach } = host();
  const attachments = new Attachments("c-1", attach);
  await attachments.add([one], room);
  expect(missed(attachments)).toEqual([`a: ${failure}`]);
  expect(asked).toEqual([]);
});

test("as large as may be, and the last for which there is room, are taken", async () => {
  const { asked, attach } = host();
  const attachments = new Attachments("c-1", attach);
  void attachments.add([file("a", LIMIT), file("b")], { ...ROOM, attached: MOST_FILES - 1 });
  expect(asked).toEqual(["c-1 a"]);
  expect(missed(attachments)).toEqual(["b: too_many_files"]);
});

test("one that fails says why, and the next goes on", async () => {
  const { attach, take, refuse } = host();
  const attachments = new Attachments("c-1", attach);
  void attachments.add([file("a"), file("folder"), file("c")], ROOM);
  await refuse({ failure: "storage" });
  await refuse(new DOMException("gone", "NotFoundError"));
  await take();
  expect(missed(attachments)).toEqual(["a: storage", "folder: unreadable_file"]);
  expect(attachments.busy).toBe(false);
  void attachments.add([file("d")], ROOM);
  expect(attachments.missed).toEqual([]);
});

test("once it is abandoned, nothing more is attached", async () => {
  const { asked, attach, refuse } = host();
  const attachments = new Attachments("c-1", attach);
  void attachments.add([file("a"), file("b")], ROOM);
  attachments.abandon();
  await refuse({ failure: "locked" });
  await attachments.add([file("c")], ROOM);
  expect(asked).toEqual(["c-1 a"]);
  expect(attachments).toMatchObject({ busy: false, missed: [] });
});
