/** Characters that turn the order of others around: with them "photo‮gpj.exe" would read as "photoexe.jpg". */
const TURNS = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
/** No name needs them, and a line break would make one look like two. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;

/** A file's name for the eye: it reads in the order of its characters, on one line. */
export function shown(name: string): string {
  return name.replace(TURNS, "\ufffd").replace(CONTROLS, " ");
}

const STEPS = ["bytes", "KB", "MB"];

/** A size as people say it. */
export function size(bytes: number): string {
  let step = 0;
  while (bytes >= 1000 && step < STEPS.length - 1) {
    bytes /= 1000;
    step += 1;
  }
  const digits = step > 0 && bytes < 10 ? 1 : 0;
  return `${bytes.toFixed(digits)} ${STEPS[step]}`;
}

/** What a browser shows as a picture. No SVG: it is a document. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif"];

export function isPicture(type: string): boolean {
  return PICTURES.includes(type.toLowerCase());
}
