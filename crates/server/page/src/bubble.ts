import { pieces } from "./anchors";
import { button, el } from "./dom";
import type { Message, Row } from "./rows";

/** What can be done with a refused message. */
export interface Remedies {
  again(id: string): void;
  /** Back into the composer. */
  edit(id: string, text: string): void;
  discard(id: string): void;
}

/** One row of the conversation as an element. */
export function bubble(row: Row, remedies: Remedies): HTMLElement {
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
      return message(row, remedies);
  }
}

function message(row: Message, remedies: Remedies): HTMLElement {
  const mine = row.author === "patient";
  const text = el("p", { class: row.retracted ? "text retracted" : "text" });
  for (const piece of pieces(row.text)) {
    text.append(piece.href ? anchor(piece.href) : piece.text);
  }
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
    text,
    // What changes below a message is for the eye: read aloud each time, it would drown the messages.
    el("small", { "aria-live": "off" }, row.line),
  );
  if (row.refused) element.append(refusal(row, row.refused, remedies));
  return element;
}

function refusal(row: Message, refused: NonNullable<Message["refused"]>, remedies: Remedies): HTMLElement {
  const does = el("div", { class: "does" });
  if (refused.again) does.append(button("Send again", () => remedies.again(row.key)));
  else does.append(button("Edit", () => remedies.edit(row.key, row.text)));
  does.append(button("Discard", () => remedies.discard(row.key)));
  return el("div", { class: "refusal" }, el("p", { role: "alert" }, refused.text), does);
}

function anchor(href: string): HTMLAnchorElement {
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, href);
}
