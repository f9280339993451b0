import { expect, test } from "vitest";
import { disguised, pieces } from "./links";

/** The text with each address in brackets. */
const picture = (text: string) =>
  pieces(text)
    .map(({ text, url }) => (url ? `[${text}]` : text))
    .join("");

test.each([
  ["no address at all", "no address at all"],
  ["see https://clinic.example/a?b=c#d now", "see [https://clinic.example/a?b=c#d] now"],
  ["HTTP://CLINIC.EXAMPLE", "[HTTP://CLINIC.EXAMPLE]"],
  ["(https://clinic.example).", "([https://clinic.example])."],
  ["https://clinic.example/leaflet(en)", "[https://clinic.example/leaflet(en)]"],
  ["“https://clinic.example”, or https://b.example!", "“[https://clinic.example]”, or [https://b.example]!"],
  ["https://a.example\nhttps://b.example", "[https://a.example]\n[https://b.example]"],
  ["<https://a.example>", "<[https://a.example]>"],
])("finds %j", (text, expected) => {
  expect(picture(text)).toBe(expected);
});

test.each([
  "javascript:alert(1)",
  "file:///etc/passwd",
  "data:text/html,x",
  "www.clinic.example",
  "https://",
  "https://bank.example@evil.example/",
  "https://user:secret@evil.example/",
])("leaves %j as text", (text) => {
  expect(pieces(text)).toEqual([{ text, url: null }]);
});

test("loses and adds no character", () => {
  const text = "a https://a.example, b\n\nhttps://b.example)) <script>https://c.example</script> 🩺 https://";
  expect(
    pieces(text)
      .map((piece) => piece.text)
      .join(""),
  ).toBe(text);
});

test("shows what look-alike letters hide", () => {
  const [link] = pieces("https://раураl.example/x");
  expect(link?.url?.host).toMatch(/^xn--/);
  expect(link?.url && disguised(link.url)).toBe(true);
  expect(disguised(new URL("https://paypal.example"))).toBe(false);
});
