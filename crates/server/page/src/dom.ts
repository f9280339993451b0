/** An element with its attributes and children; a text child is text, whatever it contains. */
export function el<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  attributes: Record<string, string> = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[T] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** A button that does `act`. */
export function button(
  label: string,
  act: () => void,
  attributes: Record<string, string> = {},
): HTMLButtonElement {
  const made = el("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}

/**
 * Brings the children of `parent` into line with `rows`, leaving alone those that stay as they are: the screen reader
 * hears only what is new, and a selection survives.
 */
export class Rows<R extends { key: string }> {
  #shown = new Map<string, { content: string; element: HTMLElement }>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly make: (row: R) => HTMLElement,
  ) {}

  show(rows: readonly R[]): void {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let place = this.parent.firstElementChild;
    for (const row of rows) {
      const content = JSON.stringify(row);
      let shown = this.#shown.get(row.key);
      if (!shown) {
        shown = { content, element: this.make(row) };
      } else if (shown.content !== content) {
        update(shown.element, this.make(row));
        shown = { content, element: shown.element };
      }
      this.#shown.set(row.key, shown);
      if (place === shown.element) place = place.nextElementSibling;
      else this.parent.insertBefore(shown.element, place);
    }
  }
}

/** Makes `element` equal to `made`, touching only what differs: focus and the screen reader's place stay. */
function update(element: HTMLElement, made: HTMLElement): void {
  for (const { name, value } of made.attributes) element.setAttribute(name, value);
  const before = [...element.childNodes];
  const after = [...made.childNodes];
  after.forEach((child, index) => {
    const old = before[index];
    if (!old) element.append(child);
    else if (!old.isEqualNode(child)) old.replaceWith(child);
  });
  for (const old of before.slice(after.length)) old.remove();
}
