import { describe, expect, it } from "vitest";
import { pieces } from "./anchors";

const hrefs = (text: string) => pieces(text).flatMap((piece) => piece.href ?? []);

describe("addresses in a text", () => {
  it.each([
    ["See https://clinic.example/a?b=c#d, please.", ["https://clinic.example/a?b=c#d"]],
    ["(http://clinic.example) and https://x.example!", ["http://clinic.example", "https://x.example"]],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
    ["https://bank.example@evil.example/", []],
    ["https:// http://", []],
    ["no address", []],
  ])("%s", (text, expected) => {
    expect(hrefs(text)).toEqual(expected);
  });

  it.each([
    "a https://x.example b",
    "https://x.example",
    "<b>bold</b>",
    "",
    "https://a.b@c https://d.example.",
  ])("loses nothing of %j", (text) => {
    expect(
      pieces(text)
        .map((piece) => piece.text)
        .join(""),
    ).toBe(text);
  });
});
