import { expect, test } from "vitest";
import { row } from "./fixtures";
import { arrange, hold } from "./hold";

const ids = (rows: readonly { conversation: { id: string } }[]) =>
  rows.map((one) => one.conversation.id).join("");

test("without a hold, the core's order", () => {
  expect(arrange([row("b"), row("a")], null)).toMatchObject({ moves: false, fresh: 0 });
});

test("a row changes in its place, and nothing moves", () => {
  const held = hold([row("a"), row("b")]);
  const { rows, moves } = arrange([row("a"), row("b", { head: 2 })], held);
  expect(rows[1]?.conversation.head).toBe(2);
  expect(moves).toBe(false);
});

test("another order waits, and the new are counted", () => {
  const held = hold([row("a"), row("b"), row("c")]);
  const now = [row("d"), row("c", { head: 2 }), row("a"), row("b")];
  const arranged = arrange(now, held);
  expect(ids(arranged.rows)).toBe("abc");
  expect(arranged).toMatchObject({ moves: true, fresh: 2 });
  expect(ids(arrange(now, hold(now)).rows)).toBe("dcab");
});

test("one's own answer moves rows, but is nothing new", () => {
  const held = hold([row("a"), row("b")]);
  const last = { seq: 2, at: 0, preview: "", author: { id: "p", name: "P", role: "provider" as const } };
  expect(arrange([row("b"), row("a", { head: 2, last })], held)).toMatchObject({ moves: true, fresh: 0 });
});

test("what is gone leaves", () => {
  expect(ids(arrange([row("b")], hold([row("a"), row("b")])).rows)).toBe("b");
});

test("an empty list is held by nobody", () => {
  expect(hold([])).toBeNull();
});
