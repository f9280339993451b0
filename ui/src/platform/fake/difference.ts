import type { Splice } from "../../bindings/Splice";

/** What makes `next` of `old`, as one splice. */
export function difference<T>(old: readonly unknown[], next: T[]): Splice<T> {
  const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b);
  let at = 0;
  while (at < old.length && at < next.length && same(old[at], next[at])) at += 1;
  let tail = 0;
  const most = Math.min(old.length, next.length) - at;
  while (tail < most && same(old[old.length - 1 - tail], next[next.length - 1 - tail])) tail += 1;
  return { at, remove: old.length - tail - at, insert: next.slice(at, next.length - tail) };
}
