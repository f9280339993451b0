// What no compiler holds for the window's own code.

import { expect, test } from "vitest";
import body from "./bindings/Body.ts?raw";

const sources = import.meta.glob<string>(["./**/*.{ts,svelte,css}", "!./bindings/**", "!./fences.test.ts"], {
  query: "?raw",
  import: "default",
  eager: true,
});
const files = Object.entries(sources);
const offenders = (bad: (text: string, path: string) => boolean) =>
  files.filter(([path, text]) => bad(text, path)).map(([path]) => path);

test("text is never HTML", () => {
  expect(
    offenders((text) => /\{@html|innerHTML|outerHTML|insertAdjacentHTML|document\.write/.test(text)),
  ).toEqual([]);
});

test("only the platform knows the desktop shell", () => {
  expect(offenders((text, path) => text.includes("@tauri-apps/") && !path.startsWith("./platform/"))).toEqual(
    [],
  );
});

test("no file has become two ideas", () => {
  expect(offenders((text, path) => text.split("\n").length > 300 && !path.endsWith(".test.ts"))).toEqual([]);
});

test("colours are made in one place", () => {
  expect(
    offenders(
      (text, path) =>
        /\.(svelte|css)$/.test(path) && path !== "./tokens.css" && /#[0-9a-f]{3,8}\b|rgba?\(/i.test(text),
    ),
  ).toEqual([]);
});

test("each kind of entry has its component, and the file is all it takes", () => {
  const kinds = [...body.matchAll(/"kind": "(\w+)"/g)].map(([, kind]) => kind);
  const named = files
    .map(([path]) =>
      /^\.\/entries\/(\w+)\.svelte$/
        .exec(path)?.[1]
        ?.replace(/(?!^)[A-Z]/g, "_$&")
        .toLowerCase(),
    )
    .filter((kind) => kind !== undefined);
  expect(kinds.length).toBeGreaterThan(8);
  expect(named.sort()).toEqual(kinds.sort());
});
