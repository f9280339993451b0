/** A stretch of a text, and whether it is what was looked for. */
export interface Stretch {
  text: string;
  marked: boolean;
}

const folded = (word: string) => word.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Cuts a text into what stands for one of `words`, which are beginnings of words, and the rest. */
export function stretches(text: string, words: readonly string[]): Stretch[] {
  const wanted = words.map(folded);
  const parts: Stretch[] = [];
  const add = (text: string, marked: boolean) => {
    const last = parts.at(-1);
    if (last && last.marked === marked) last.text += text;
    else if (text !== "") parts.push({ text, marked });
  };
  let end = 0;
  for (const { 0: word, index } of text.matchAll(/[\p{L}\p{N}\p{M}]+/gu)) {
    add(text.slice(end, index), false);
    add(
      word,
      wanted.some((start) => folded(word).startsWith(start)),
    );
    end = index + word.length;
  }
  add(text.slice(end), false);
  return parts;
}

/** Characters before what was found, so that its line still says what it is about. */
const BEFORE = 40;

/** As {@link stretches}, from a little before the first that is marked. */
export function excerpt(text: string, words: readonly string[]): Stretch[] {
  const line = text.replace(/\s+/g, " ").trim();
  const parts = stretches(line, words);
  const at = parts.findIndex((part) => part.marked);
  const lead = parts
    .slice(0, Math.max(at, 0))
    .map((part) => part.text)
    .join("");
  if (lead.length <= BEFORE) return parts;
  const cut = lead.indexOf(" ", lead.length - BEFORE) + 1;
  return [{ text: `…${lead.slice(cut)}`, marked: false }, ...parts.slice(at)];
}
