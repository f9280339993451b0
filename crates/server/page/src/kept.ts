import type { Outgoing } from "./outbox";
import { uuidv7 } from "./uuid";

/**
 * What outlives a reload.
 *
 * It is kept in the tab (sessionStorage), not in the browser (localStorage): people open their clinic's link on shared
 * computers and phones, and closing the tab must leave neither the access nor a message behind. A tab also has it for
 * itself, so that two of them never write over each other. The price is that a message that is still waiting goes with
 * the tab: the page says so, and asks before it closes. For the same reason a file's bytes aren't kept at all until the
 * server has them: they would need a place that outlives the tab.
 */
export interface Kept {
  readonly token: string;
  /** This tab's id. */
  readonly device: string;
  /** Whose messages these are, as the server said; null until it has. */
  readonly owner: string | null;
  /** Whether the server has accepted the token as the owner's. */
  readonly confirmed: boolean;
  readonly conversation: string | null;
  readonly outbox: readonly Outgoing[];
  /** What is typed and not sent. */
  readonly draft: string;
}

const KEY = "bedside";

/** Empty, for a token that nothing is known of yet. */
export function fresh(token: string, device: string): Kept {
  return { token, device, owner: null, confirmed: false, conversation: null, outbox: [], draft: "" };
}

/** What this tab kept, if anything, and nothing if it can't be read. */
export function load(): Kept | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<Kept> | null;
    if (typeof kept?.token !== "string" || typeof kept.device !== "string") return null;
    return { ...fresh(kept.token, kept.device), ...kept };
  } catch {
    return null;
  }
}

/** False when the browser keeps nothing (storage is off or full). */
export function save(kept: Kept): boolean {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(kept));
    return true;
  } catch {
    return false;
  }
}

/** Leaves nothing behind. */
export function forget(): void {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Then nothing was kept either.
  }
}

/** `count` random bytes. */
export function random(count: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(count));
}

/**
 * Signs this tab in. What waits in it stays, unseen, until the server has said whose the token is: a patient may have
 * got a new link for an old one, but it may as well be somebody else.
 */
export function adopt(token: string): Kept {
  const before = load();
  if (before?.token === token) return before;
  const kept = before ? { ...before, token, confirmed: false } : fresh(token, uuidv7(Date.now(), random(10)));
  save(kept);
  return kept;
}

/** The token of a link (`/#token=…`), taken out of the address bar and of the history. */
export function tokenFromLink(): string | null {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token) history.replaceState(null, "", location.pathname + location.search);
  return token;
}
