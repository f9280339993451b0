import { expect, test } from "vitest";
import { spliced } from "./splice";

test.each([
  ["nothing changes", { at: 0, remove: 0, insert: [] }, "abc"],
  ["at the end", { at: 3, remove: 0, insert: ["d"] }, "abcd"],
  ["at the start", { at: 0, remove: 0, insert: ["x"] }, "xabc"],
  ["in the middle", { at: 1, remove: 1, insert: ["x", "y"] }, "axyc"],
  ["all", { at: 0, remove: 3, insert: [] }, ""],
])("%s", (_, splice, expected) => {
  expect(spliced(["a", "b", "c"], splice)?.join("")).toBe(expected);
});

test("what doesn't fit was meant for other rows", () => {
  expect(spliced(["a"], { at: 1, remove: 1, insert: [] })).toBeNull();
  expect(spliced(["a"], { at: 2, remove: 0, insert: ["b"] })).toBeNull();
});

test("an empty splice keeps the very same rows, so that nothing is drawn anew", () => {
  const rows = ["a"];
  expect(spliced(rows, { at: 0, remove: 0, insert: [] })).toBe(rows);
});
