import { pieces } from "./anchors";
import { button, el } from "./dom";
import { size } from "./names";
import type { Message, Row, Shown } from "./rows";

/** What can be done with a refused message. */
export interface Remedies {
  again(id: string): void;
  /** Back into the composer. */
  edit(id: string, text: string): void;
  discard(id: string): void;
}

/** What a file needs of the world. */
export interface FileSource {
  /** Fills a picture once it comes into view. */
  picture(image: HTMLImageElement, sha256: string, type: string): void;
  /** Fetches a file and lets the patient save it. */
  save(file: Shown): void;
}

/** One row of the conversation as an element. */
export function bubble(row: Row, remedies: Remedies, source: FileSource): HTMLElement {
  switch (row.is) {
    case "day":
      return el("li", { class: "day" }, el("span", {}, row.text));
    case "notice":
      return el(
        "li",
        { class: "notice", "data-testid": "notice", "data-id": row.key },
        el("p", {}, row.text),
        el("small", { "aria-live": "off" }, row.time),
      );
    case "message":
      return message(row, remedies, source);
  }
}

function message(row: Message, remedies: Remedies, source: FileSource): HTMLElement {
  const mine = row.author === "patient";
  const said = row.file ? attached(row.file, source) : text(row);
  const element = el(
    "li",
    {
      class: mine ? "message mine" : "message",
      "data-testid": "message",
      "data-id": row.key,
      "data-author": row.author,
      "data-state": row.state,
      "data-read": String(row.read),
    },
    el("b", { class: mine ? "unseen" : "name" }, mine ? "You:" : row.name),
    said,
    // What changes below a message is for the eye: read aloud each time, it would drown the messages.
    el("small", { "aria-live": "off" }, row.line),
  );
  if (row.refused) element.append(refusal(row, row.refused, remedies));
  return element;
}

function text(row: Message): HTMLElement {
  const text = el("p", { class: row.retracted ? "text retracted" : "text" });
  for (const piece of pieces(row.text)) {
    text.append(piece.href ? anchor(piece.href) : piece.text);
  }
  return text;
}

/** A file: a picture of it if it is one, its name and size, and how far it is or the way to save it. */
function attached(file: Shown, source: FileSource): HTMLElement {
  const { name, bytes, sha256, picture, uploaded } = file;
  const element = el("div", { class: "text file", "data-testid": "file" });
  if (sha256 && picture) {
    const image = el("img", { class: "picture", alt: name });
    source.picture(image, sha256, picture);
    element.append(image);
  }
  const label = [el("bdi", {}, name), ` · ${size(bytes)}`];
  if (sha256) {
    const save = button("", () => source.save(file), { class: "save", "data-testid": "save" });
    save.append(el("span", { class: "unseen" }, "Save "), ...label);
    element.append(save);
  } else {
    element.append(el("span", {}, ...label));
  }
  if (uploaded !== null) {
    const progress = el("progress", {
      max: "100",
      value: String(uploaded),
      "aria-label": `Uploading ${name}`,
    });
    // For the eye, as the line below is.
    element.append(el("span", { class: "progress", "aria-live": "off" }, progress));
  }
  return element;
}

function refusal(row: Message, refused: NonNullable<Message["refused"]>, remedies: Remedies): HTMLElement {
  const does = el("div", { class: "does" });
  if (refused.again)
    does.append(button(row.file ? "Try again" : "Send again", () => remedies.again(row.key)));
  else if (!row.file) does.append(button("Edit", () => remedies.edit(row.key, row.text)));
  does.append(button("Discard", () => remedies.discard(row.key)));
  return el("div", { class: "refusal" }, el("p", { role: "alert" }, refused.text), does);
}

function anchor(href: string): HTMLAnchorElement {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, href);
}
