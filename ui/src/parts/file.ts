// What files are called by those who look at them. What a message says of its file is its sender's word.

/** Characters that turn the direction of what follows: with them "gpj.exe" looks like "exe.jpg". */
const TURNS = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;
const [ISOLATE, ENOUGH] = ["\u2068", "\u2069"];

/** A file's name, for the middle of a sentence: it hides nothing, and turns nothing around it. */
export const shownName = (name: string): string => ISOLATE + bareName(name) + ENOUGH;

/** The same, for where it stands alone. */
export const bareName = (name: string): string => name.replace(TURNS, "");

/** What the host shows as pictures. */
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

export const isPicture = (media_type: string): boolean => PICTURES.includes(media_type.toLowerCase());

const NAMED: Record<string, string> = {
  "application/pdf": "PDF document",
  "application/msword": "Word document",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "Word document",
  "application/vnd.oasis.opendocument.text": "Text document",
  "application/vnd.ms-excel": "Excel table",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "Excel table",
  "application/vnd.oasis.opendocument.spreadsheet": "Table",
  "application/zip": "ZIP archive",
  "application/dicom": "DICOM image",
  "application/rtf": "Text document",
  "text/plain": "Text",
  "text/csv": "CSV table",
};
const FAMILIES: Record<string, string> = { image: "picture", audio: "recording", video: "video" };

/** A media type in words: `PDF document`, `PNG picture`; `File` when it says nothing to people. */
export function typeWords(media_type: string): string {
  const type = media_type.toLowerCase().split(";")[0]?.trim() ?? "";
  const named = Object.hasOwn(NAMED, type) ? NAMED[type] : undefined;
  if (named) return named;
  const [family = "", format = ""] = type.split("/");
  if (!Object.hasOwn(FAMILIES, family)) return "File";
  // `svg+xml` and `x-wav` are called SVG and WAV.
  const short = format.replace(/^x-|\+.*$/g, "");
  return /^[a-z0-9]{2,5}$/.test(short)
    ? `${short.toUpperCase()} ${FAMILIES[family]}`
    : capital(FAMILIES[family] ?? "");
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** What is pasted, unless it is a text that brings its picture along, as from a word processor. */
export function pastedFiles(data: Pick<DataTransfer, "files" | "types">): File[] {
  const written = data.types.includes("text/plain") && data.types.includes("text/html");
  return written ? [] : [...data.files];
}
