import { bubble, type FileSource } from "./bubble";
import type { Chat } from "./chat";
import { button, el, Rows } from "./dom";
import type { Link } from "./link";
import { rows, type Row } from "./rows";
import { shown, size } from "./names";
import * as words from "./words";

/** Nearer to the end than this counts as being there. */
const AT_END_PX = 40;

/** What the page has to know besides the chat itself. */
export interface Around {
  link(): Link;
  /** Whether the browser keeps what waits. */
  keeps(): boolean;
  signOut(): void;
  picture: FileSource["picture"];
  /** Fetches a file and lets the patient save it; false if it can't be fetched. */
  save(sha256: string, name: string): Promise<boolean>;
  /** Whether this browser can attach files. */
  attaches: boolean;
}

/** The conversation on the screen. It holds nothing but where one looks; all else is made from the chat. */
export class ChatView {
  readonly #list = el("ol", {});
  readonly #log = el(
    "div",
    { class: "log", role: "log", "aria-label": "Messages", tabindex: "0" },
    this.#list,
  );
  readonly #writer = el("p", { class: "writer", "aria-live": "polite" });
  readonly #status = el("p", { class: "status", role: "status", "data-testid": "status" });
  readonly #composer = el("textarea", {
    id: "composer",
    rows: "2",
    enterkeyhint: "send",
    "aria-describedby": "complaint",
    "data-testid": "composer",
  });
  readonly #complaint = el("p", { id: "complaint", class: "complaint", role: "alert" });
  readonly #send = el("button", { type: "submit", "data-testid": "send" }, "Send");
  readonly #chosen = el("input", { type: "file", multiple: "", hidden: "", "data-testid": "files" });
  readonly #attach = button("Attach a file", () => this.#chosen.click(), {
    class: "attach",
    "data-testid": "attach",
  });
  readonly #earlier = button("Earlier messages", () => this.#do(() => this.chat.earlier()), {
    class: "earlier",
  });
  readonly #below = button("New messages below", () => this.#toEnd(), { class: "below" });
  readonly #rows: Rows<Row>;
  #ready = false;
  #atEnd = true;
  #newest = 0;

  constructor(
    root: HTMLElement,
    private readonly chat: Chat,
    private readonly around: Around,
  ) {
    const remedies = {
      again: (id: string) => this.#do(() => chat.again(id)),
      edit: (id: string, text: string) => this.#edit(id, text),
      discard: (id: string) => this.#do(() => chat.discard(id)),
    };
    const source: FileSource = {
      picture: (image, sha256, type) => around.picture(image, sha256, type),
      save: ({ sha256, name }) => {
        this.#complaint.textContent = "";
        if (!sha256) return;
        void around.save(sha256, name).then((saved) => {
          if (!saved) this.#complaint.textContent = words.UNSAVED;
        });
      },
    };
    this.#rows = new Rows(this.#list, (row) => bubble(row, remedies, source));
    this.#log.prepend(this.#earlier);
    const form = el(
      "form",
      {},
      el("label", { for: "composer" }, "Write to your care team"),
      el("div", { class: "write" }, this.#attach, this.#chosen, this.#composer, this.#send),
      this.#complaint,
    );
    root.replaceChildren(
      el(
        "header",
        {},
        el("h1", {}, "Your care team"),
        button("Sign out", () => around.signOut(), { class: "quiet" }),
        el(
          "p",
          { class: "emergency" },
          "In an emergency, call your local emergency number. Don’t wait for an answer here.",
        ),
      ),
      el("main", {}, this.#log, el("div", { class: "edge" }, this.#below, this.#writer), form, this.#status),
    );

    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#write();
    });
    this.#composer.addEventListener("keydown", (event) => {
      // On a phone the key makes a new line, and the button sends. While an input method composes, it is its key.
      const phone = matchMedia("(pointer: coarse)").matches;
      if (event.key !== "Enter" || event.shiftKey || event.isComposing || phone) return;
      event.preventDefault();
      this.#write();
    });
    this.#composer.addEventListener("input", () => {
      this.#complaint.textContent = "";
      this.#do(() => chat.typed(this.#composer.value));
    });
    this.#chosen.addEventListener("change", () => {
      this.#attachAll(this.#chosen.files);
      // The same file again is another choice.
      this.#chosen.value = "";
    });
    this.#composer.addEventListener("paste", (event) => {
      // A word processor's text comes with a picture of itself: then the text is meant.
      const { clipboardData } = event;
      if (!clipboardData?.files.length || clipboardData.types.includes("text/plain")) return;
      event.preventDefault();
      this.#attachAll(clipboardData.files);
    });
    // Anywhere: a file that misses would open in this tab, instead of the page.
    for (const name of ["dragover", "drop"] as const) {
      document.addEventListener(name, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        if (name === "drop") this.#attachAll(event.dataTransfer.files);
      });
    }
    this.#log.addEventListener("scroll", () => {
      this.#atEnd = this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < AT_END_PX;
      this.#look();
    });
    // The keyboard of a phone takes half of the log: its end stays in view.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#log);
    document.addEventListener("visibilitychange", () => this.#look());
    this.show();
  }

  /** Shows the chat as it is now. */
  show(): void {
    const { chat } = this;
    const link = this.around.link();
    if (!this.#ready && chat.ready()) {
      this.#ready = true;
      this.#composer.value ||= chat.draft();
    }
    this.#send.disabled = !this.#ready;
    this.#attach.hidden = !this.#takesFiles();
    this.#log.setAttribute("aria-busy", String(link.is === "live" && !chat.caughtUp()));
    this.#earlier.hidden = chat.log.older() === null;
    const writer = chat.writer ? `${chat.writer.name} is writing…` : "";
    if (this.#writer.textContent !== writer) this.#writer.textContent = writer;
    const status = words.connection(link, chat.caughtUp(), chat.outbox.unsent(), this.around.keeps());
    if (this.#status.textContent !== status) this.#status.textContent = status;
    this.#status.dataset["link"] = link.is;
    this.#holding(() => this.#rows.show(rows(chat, link, Date.now())));
    this.#look();
  }

  /** Nothing moves that one is reading: what is in view stays where it is, unless one is at the end. */
  #holding(change: () => void): void {
    const log = this.#log;
    const top = log.scrollTop;
    // A day's line is no anchor: it stays the first of its day when older messages come below it.
    const anchor = [...this.#list.querySelectorAll<HTMLElement>("li:not(.day)")].find(
      (row) => row.offsetTop + row.offsetHeight > top,
    );
    const before = anchor?.offsetTop ?? 0;
    change();
    if (this.#atEnd) this.#toEnd();
    else if (anchor?.isConnected) log.scrollTop = top + anchor.offsetTop - before;
  }

  /** What is in view counts as read; what isn't yet is announced. */
  #look(): void {
    const newest = this.chat.log.newest();
    const looking = document.visibilityState === "visible";
    if (this.#atEnd && looking) {
      this.#newest = newest;
      this.chat.inView();
    }
    this.#below.hidden = this.#atEnd || newest <= this.#newest;
    document.title =
      newest > this.#newest && !looking ? "New message · your clinic" : "Messages with your clinic";
  }

  #toEnd(): void {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#atEnd = true;
  }

  #takesFiles(): boolean {
    return this.#ready && this.around.attaches && this.chat.fileBytes() !== null;
  }

  #attachAll(files: FileList | null): void {
    const most = this.#takesFiles() ? this.chat.fileBytes() : null;
    this.#complaint.textContent = "";
    for (const file of files ?? []) {
      if (most === null || this.chat.attach(file.name, file.type, file))
        this.#complaint.textContent = words.unattachable(shown(file.name), most === null ? null : size(most));
      else this.#atEnd = true;
    }
    this.#composer.focus();
    this.show();
  }

  #write(): void {
    if (!this.#ready || !this.#composer.value.trim()) return;
    const refused = this.chat.write(this.#composer.value);
    this.#complaint.textContent = refused ? (words.UNSENDABLE[refused] ?? words.REFUSED[refused]) : "";
    if (!refused) {
      this.#composer.value = "";
      this.#atEnd = true;
    }
    this.#composer.focus();
    this.show();
  }

  /** Back into the composer, before whatever is typed there already. */
  #edit(id: string, text: string): void {
    const typed = this.#composer.value;
    this.#composer.value = typed ? `${text}\n${typed}` : text;
    this.chat.typed(this.#composer.value);
    this.chat.discard(id);
    this.#composer.focus();
    this.show();
  }

  #do(act: () => void): void {
    act();
    this.show();
  }
}
