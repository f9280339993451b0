import { describe, expect, it } from "vitest";
import { excerpt, stretches } from "./mark";

const shown = (parts: { text: string; marked: boolean }[]) =>
  parts.map(({ text, marked }) => (marked ? `[${text}]` : text)).join("");

describe("marking what was found", () => {
  it.each([
    ["It gets tight across my chest", ["che", "tight"], "It gets [tight] across my [chest]"],
    ["Café au lait", ["cafe"], "[Café] au lait"],
    ["cafeteria", ["café"], "[cafeteria]"],
    ["500 mg, twice", ["500"], "[500] mg, twice"],
    ["discharge", ["charge"], "discharge"],
    ["<b>chest</b>", ["chest"], "<b>[chest]</b>"],
    ["", ["x"], ""],
    ["as it is", [], "as it is"],
  ])("%s", (text, words, expected) => {
    expect(shown(stretches(text, words))).toBe(expected);
    expect(
      stretches(text, words)
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  });

  it("begins a little before what was found", () => {
    const text = `${"word ".repeat(30)}chest\npain`;
    expect(shown(excerpt(text, ["chest"]))).toMatch(/^…(word ){7,8}\[chest\] pain$/);
    expect(shown(excerpt("chest pain", ["chest"]))).toBe("[chest] pain");
    expect(shown(excerpt("no mark", ["chest"]))).toBe("no mark");
  });
});
