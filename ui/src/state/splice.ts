import type { Splice } from "../bindings/Splice";

/** The rows after `splice`; `null` when it doesn't fit them, that is, when an update was missed. */
export function spliced<T>(rows: readonly T[], splice: Splice<T>): readonly T[] | null {
  const { at, remove, insert } = splice;
  if (at + remove > rows.length) return null;
  if (remove === 0 && insert.length === 0) return rows;
  return [...rows.slice(0, at), ...insert, ...rows.slice(at + remove)];
}
