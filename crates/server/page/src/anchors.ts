/** A piece of a text: plain, or an address that may be opened. */
export type Piece = { text: string; href?: string };

const ADDRESS = /https?:\/\/[^\s<>"]+/giu;
/** What ends a sentence or closes a bracket around an address isn't a part of it. */
const TAIL = /[.,;:!?'")\]}…]+$/u;

/**
 * Cuts a text into what is plain and what is an address. Patients read on phones, where an address that can't be
 * tapped is a dead end; so http and https alone become anchors, and what one reads is always where one goes.
 */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(TAIL, "");
    if (!opens(address)) continue;
    if (match.index > end) found.push({ text: text.slice(end, match.index) });
    found.push({ text: address, href: address });
    end = match.index + address.length;
  }
  if (end < text.length) found.push({ text: text.slice(end) });
  return found;
}

/** Whether it is a whole address; one with a user name in it only pretends to lead elsewhere. */
function opens(address: string): boolean {
  try {
    const { protocol, username, password, host } = new URL(address);
    return /^https?:$/.test(protocol) && host !== "" && username === "" && password === "";
  } catch {
    return false;
  }
}
