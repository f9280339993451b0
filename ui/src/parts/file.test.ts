import { expect, test } from "vitest";
import { bareName, isPicture, pastedFiles, shownName, typeWords } from "./file";

test("a name turns nothing around, and what stands after it stays after it", () => {
  expect(bareName("photo\u202egpj.exe")).toBe("photogpj.exe");
  expect(shownName("a\u2069b.png")).toBe("\u2068ab.png\u2069");
});

test.each([
  ["application/pdf", "PDF document"],
  ["Application/PDF; x=y", "PDF document"],
  ["image/png", "PNG picture"],
  ["image/svg+xml", "SVG picture"],
  ["audio/x-wav", "WAV recording"],
  ["video/quicktime", "Video"],
  ["application/octet-stream", "File"],
  ["constructor", "File"],
  ["", "File"],
])("%s in words", (type, words) => {
  expect(typeWords(type)).toBe(words);
});

test("pictures are what the shell shows as such, and nothing that could hold a script", () => {
  expect(["image/png", "image/JPEG", "image/gif", "image/webp"].every(isPicture)).toBe(true);
  expect(["image/svg+xml", "image/heic", "text/html", "application/pdf", ""].some(isPicture)).toBe(false);
});

test.each([
  ["a screenshot", ["Files"], 1],
  ["a picture out of a page", ["text/html", "Files"], 1],
  ["a file, with its path", ["text/plain", "Files"], 1],
  ["a text out of a word processor, with its picture", ["text/plain", "text/html", "Files"], 0],
])("pasting %s", (_, types, files) => {
  const data = { types, files: [new File(["x"], "image.png")] as unknown as FileList };
  expect(pastedFiles(data)).toHaveLength(files);
});
