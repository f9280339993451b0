import type { Component } from "svelte";
import type { Body } from "../bindings/Body";
import type { Shown } from "../state/item";

export type Kind = Body["kind"];
/** What the component of one kind is given. */
export interface EntryProps<K extends Kind> {
  shown: Shown<Extract<Body, { kind: K }>>;
}

const files = import.meta.glob<{ default: Component<{ shown: Shown }> }>("./*.svelte", { eager: true });

/** `./LabResult.svelte` shows the kind `lab_result`. */
const kindOf = (path: string) =>
  path
    .replace(/^\.\/|\.svelte$/g, "")
    .replace(/(?!^)[A-Z]/g, "_$&")
    .toLowerCase();

const components = new Map(Object.entries(files).map(([path, file]) => [kindOf(path), file.default]));

/** The component of a kind; none for a kind that this version doesn't know. */
export const componentOf = (kind: string) => components.get(kind);
