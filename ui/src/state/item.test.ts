import { expect, test } from "vitest";
import type { Body } from "../bindings/Body";
import type { ConversationHead } from "../bindings/ConversationHead";
import type { Item } from "../bindings/Item";
import type { OutgoingState } from "../bindings/OutgoingState";
import { COLLEAGUE, conversation, logged, ME, outgoing, PATIENT } from "./fixtures";
import {
  firstNew,
  idOf,
  othersAfter,
  percent,
  plain,
  recallable,
  seqAt,
  show,
  stateNow,
  stages,
  takenBackOf,
  together,
} from "./item";

const range = (from: number, to: number): Item[] =>
  Array.from({ length: to - from + 1 }, (_, i) => logged(from + i));
/** `3-5 shift` for each step. */
const picture = (old: Item[], next: Item[]) =>
  stages(old, next).map(({ items, shift }) => {
    const ids = items.map((item) => idOf(item).replace("e-", ""));
    return `${ids[0]}-${ids.at(-1)}${shift ? " shift" : ""}`;
  });

test.each([
  ["from nothing", [], range(1, 3), ["1-3"]],
  ["appended", range(1, 3), range(1, 5), ["1-5"]],
  ["older before it", range(4, 6), range(1, 6), ["1-6 shift"]],
  ["older before it and newer after it", range(4, 6), range(1, 8), ["1-6 shift", "1-8"]],
  ["the oldest out of the window", range(1, 5), range(2, 5), ["2-5 shift"]],
  ["the window moved on", range(1, 5), range(2, 6), ["2-5 shift", "2-6"]],
  ["nothing in common", range(1, 2), range(8, 9), ["8-9"]],
])("a list that changes: %s", (_, old, next, expected) => {
  expect(picture(old, next)).toEqual(expected);
});

test("what is new begins with somebody else's entry", () => {
  const items = [logged(1), logged(2, { author: ME }), logged(3), logged(4)];
  expect(firstNew(items, 1, ME)).toBe(3);
  expect(firstNew(items, 4, ME)).toBeNull();
  expect(firstNew(items, null, ME)).toBeNull();
});

test("counts what others wrote below what was in view", () => {
  const items = [logged(1), logged(2), logged(3, { author: ME }), logged(4, { author: COLLEAGUE })];
  const mine: Item = { item: "outgoing", outgoing: outgoing("o-1") };
  expect(othersAfter([...items, mine], 1, ME)).toBe(2);
  expect(othersAfter(items, 4, ME)).toBe(0);
});

test("a message on its way has no seq: the entry before it counts", () => {
  const mine: Item = { item: "outgoing", outgoing: outgoing("o-1") };
  expect(seqAt([logged(7), mine, mine], 2)).toBe(7);
  expect(seqAt([mine], 0)).toBe(0);
  expect(seqAt([logged(7), logged(8)], 0)).toBe(7);
});

test("sent is only what the log holds, read only what the patient has read", () => {
  const head = { conversation: conversation("c-300", { read: { [PATIENT.id]: 5 } }) } as ConversationHead;
  const states = [logged(5, { author: ME }), logged(6, { author: ME })].map((item) =>
    show(item, ME, head, new Set(), () => 0),
  );
  expect(states.map(({ progress }) => progress)).toEqual([
    { state: "sent", seq: 5, read: true },
    { state: "sent", seq: 6, read: false },
  ]);
  const waiting = show({ item: "outgoing", outgoing: outgoing("o-1") }, ME, head, new Set(), () => 0);
  expect(waiting).toMatchObject({
    mine: true,
    progress: { state: "waiting", recallable: true },
    author: { id: ME.id },
  });
});

test("what is held back waits like any other once its time has come", () => {
  const held = { state: "held", until: 1_000 } as const;
  expect(stateNow(held, () => 999)).toEqual(held);
  expect(stateNow(held, () => 1_000)).toEqual({ state: "waiting", recallable: true });
});

test("taken back is what an amend without a text names, not what one corrects", () => {
  const amend = (target: string, text: string | null): Body => ({ kind: "amend", target, text });
  const items = [
    logged(1),
    logged(2),
    logged(3, { body: amend("e-1", null) }),
    logged(4, { body: amend("e-2", "x") }),
  ];
  expect([...takenBackOf(items)]).toEqual(["e-1"]);
  const head = { conversation: conversation("c-300") } as ConversationHead;
  const shown = items.map((item) => show(item, ME, head, takenBackOf(items), () => 0).takenBack);
  expect(shown).toEqual([true, false, false, false]);
});

test.each<[OutgoingState, boolean]>([
  [{ state: "held", until: 0 }, true],
  [{ state: "waiting", recallable: true }, true],
  [{ state: "waiting", recallable: false }, false],
  [{ state: "uploading", sent: 1 }, true],
  [{ state: "sending" }, false],
])("whether it can be taken back: %#", (state, expected) => {
  expect(recallable(state)).toBe(expected);
});

test("a file is said by its name, and is not handed over before all of it is", () => {
  const name = "photo\u202egpj.exe";
  expect(plain({ kind: "file", sha256: "0", name, media_type: "", bytes: 1 })).toBe("File: photogpj.exe");
  expect([percent(0, 3), percent(999, 1_000), percent(1_000, 1_000), percent(0, 0)]).toEqual([0, 99, 100, 0]);
});

test("what one Enter wrote is undone together, the last of it first, as long as it is held", () => {
  const mine = (id: string, at: number, state: OutgoingState["state"]): Item => {
    const held: OutgoingState = { state: "held", until: 9 };
    const waiting: OutgoingState = { state: "waiting", recallable: true };
    return {
      item: "outgoing",
      outgoing: { ...outgoing(id), at, state: state === "held" ? held : waiting },
    };
  };
  const items = [
    mine("file", 2, "held"),
    mine("text", 2, "held"),
    mine("later", 3, "held"),
    mine("gone", 2, "waiting"),
  ];
  expect(together(items, "text", 8)).toEqual(["text", "file"]);
  expect(together(items, "text", 9)).toEqual(["text"]);
  expect(together(items, "later", 8)).toEqual(["later"]);
  expect(together(items, "gone", 8)).toEqual(["gone"]);
  expect(together([], "elsewhere", 8)).toEqual(["elsewhere"]);
});
