import { Chat } from "./chat";
import { el } from "./dom";
import { adopt, forget, load, random, save, tokenFromLink, type Kept } from "./kept";
import { Connection } from "./link";
import { signIn } from "./signin";
import { Transfer } from "./transfer";
import { ChatView } from "./view";

/** How often timers are looked at: what waits for one may be late by this. */
const TICK_MS = 1_000;

function start(root: HTMLElement): void {
  const token = tokenFromLink();
  const kept = token ? adopt(token) : load();
  // A link that is opened in this very tab changes nothing but the fragment.
  addEventListener("hashchange", () => {
    const token = tokenFromLink();
    if (!token) return;
    adopt(token);
    location.reload();
  });
  if (kept) converse(root, kept);
  else void signIn(root, (token) => converse(root, adopt(token)));
}

function converse(root: HTMLElement, kept: Kept): void {
  let keeps = true;
  let over = false;
  const transfer = new Transfer(kept.token);
  const chat = new Chat(
    {
      upload: (bytes, sent, stop) => transfer.upload(bytes, sent, stop),
      changed: () => view.show(),
      emit: (frame) => connection.emit(frame),
      keep: (kept) => {
        if (!over) keeps = save(kept);
      },
      now: () => Date.now(),
      random,
    },
    kept,
  );
  const leave = () => {
    over = true;
    forget();
  };
  const connection = new Connection(
    {
      frame(event, data) {
        // Every frame is a method of the chat by the same name, but for those that are no patient's.
        const act = chat[event as keyof Chat] as unknown;
        if (event === "revoked") leave();
        else if (typeof act === "function") act.call(chat, data);
        view.show();
      },
      lost: () => chat.lost(),
      changed: () => view.show(),
    },
    kept,
  );
  const view: ChatView = new ChatView(root, chat, {
    link: () => connection.link,
    keeps: () => keeps,
    picture: (image, sha256, type) => transfer.picture(image, sha256, type),
    save: (sha256, name) => transfer.save(sha256, name),
    attaches: Transfer.possible(),
    signOut() {
      const unsent = chat.outbox.unsent();
      if (unsent && !confirm("A message has not been sent yet. Sign out and lose it?")) return;
      leave();
      location.reload();
    },
  });
  connection.open();

  const tick = () => {
    connection.tick();
    chat.tick();
    view.show();
  };
  setInterval(tick, TICK_MS);
  addEventListener("online", () => connection.open());
  document.addEventListener("visibilitychange", tick);
  addEventListener("beforeunload", (event) => {
    // A reload keeps what waits, but closing the tab doesn't, and the browser doesn't say which it is.
    if (!over && chat.outbox.unsent()) event.preventDefault();
  });
}

start(document.getElementById("page") ?? document.body.appendChild(el("div")));
