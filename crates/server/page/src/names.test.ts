import { expect, it } from "vitest";
import { isPicture, shown, size } from "./names";

it("shows a name in the order of its characters", () => {
  for (const turn of ["\u202e", "\u2067", "\u200f", "\u061c", "\u2066", "\u202a", "\u2069"]) {
    expect(shown(`photo${turn}gpj.exe`)).toBe("photo\ufffdgpj.exe");
  }
  expect(shown("a\nb\u2028c\u0000")).toBe("a b c ");
  expect(shown("Müller 李 تقرير.pdf")).toBe("Müller 李 تقرير.pdf");
});

it("says a size as people do", () => {
  const sizes = [0, 999, 1_000, 9_940, 48_213, 999_000, 20_971_520];
  expect(sizes.map(size)).toEqual(["0 bytes", "999 bytes", "1.0 KB", "9.9 KB", "48 KB", "999 KB", "21 MB"]);
});

it("takes no document for a picture", () => {
  expect(["image/JPEG", "image/svg+xml", "text/html", ""].map(isPicture)).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
