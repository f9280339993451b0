/** A piece of a plain text: words, or a web address that can be opened after a look at it. */
export type Piece = { text: string; url: URL | null };

const ADDRESS = /https?:\/\/[^\s<>"'`{}|\\^]+/gi;
/** What stands after an address rather than in it. */
const AFTER = new Set(".,;:!?…’”»)]");

/** Cuts a text into its addresses and what stands between them; joined, the pieces are the text again. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const written = trimmed(match[0]);
    const url = address(written);
    if (!url) continue;
    if (match.index > at) found.push({ text: text.slice(at, match.index), url: null });
    found.push({ text: written, url });
    at = match.index + written.length;
  }
  if (at < text.length) found.push({ text: text.slice(at), url: null });
  return found;
}

/** Whether the host is spelled with letters that can look like others. */
export const disguised = (url: URL): boolean =>
  url.hostname.split(".").some((part) => part.startsWith("xn--"));

/** A closing bracket belongs to the address if the address opens it. */
function trimmed(written: string): string {
  let end = written.length;
  while (AFTER.has(written.charAt(end - 1))) end--;
  const balanced =
    written.endsWith(")") && written.slice(0, end).includes("(") ? written.indexOf(")", end) + 1 : end;
  return written.slice(0, balanced);
}

function address(written: string): URL | null {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === "") return null;
  // `https://bank.example@evil.example` is made to be misread: it stays text.
  return url.username === "" && url.password === "" ? url : null;
}
