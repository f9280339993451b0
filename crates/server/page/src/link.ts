import { io, type Socket } from "socket.io-client";
import { version } from "../package.json";
import {
  PROTOCOL,
  type ClientEvents,
  type ClientFrame,
  type Connect,
  type ConnectRefusal,
  type ServerEvents,
} from "./wire";

/** A connection that says nothing for this many heartbeats is dead. */
const SILENT_HEARTBEATS = 2.5;
/** How long the server may take from the first packet to its `welcome`. */
const WELCOME_MS = 10_000;
/** Full jitter: a wait is any time up to this, doubled with each failure in a row, so that no herd returns at once. */
const BACKOFF_MS = 1_000;
/** Somebody looks at the page: they shall not wait longer than this for the next try. */
const BACKOFF_MAX_MS = 15_000;

const REFUSALS: readonly string[] = [
  "unauthenticated",
  "expired",
  "revoked",
  "protocol",
] satisfies ConnectRefusal[];

/**
 * How the connection does.
 *
 *                 open                 welcome
 *     offline ──────────▶ connecting ──────────▶ live
 *      ▲   ▲                │     │                │ │
 *      │   └─ error, late ──┘     └─ a code ─┐     │ │
 *      └───── closed, silent ────────────────┼─────┘ │
 *                                            ▼       │
 *                                         refused ◀──┘ revoked
 */
export type Link =
  { is: "connecting" } | { is: "live" } | { is: "offline" } | { is: "refused"; code: ConnectRefusal };

/** Who connects. */
export type Bearer = Pick<Connect, "token" | "device">;

/** What CONNECT carries: this and nothing else of what the tab keeps. */
export function credentials({ token, device }: Bearer): Connect {
  return { token, device, protocol: PROTOCOL, client: `page/${version}` };
}

/** What the link tells. */
export interface Ears {
  frame<E extends keyof ServerEvents>(event: E, data: Parameters<ServerEvents[E]>[0]): void;
  lost(): void;
  changed(): void;
}

/** The connection to the server: it reconnects by itself, until the server refuses. */
export class Connection {
  link: Link = { is: "offline" };
  #socket: Socket<ServerEvents, ClientEvents>;
  #failures = 0;
  #retryAt = 0;
  #silentAt = 0;
  #silenceMs = WELCOME_MS;

  constructor(
    private readonly ears: Ears,
    bearer: Bearer,
  ) {
    this.#socket = io("/patient", {
      auth: credentials(bearer),
      // One reconnection is enough, and it must know of welcomes and heartbeats: ours.
      reconnection: false,
      autoConnect: false,
      timeout: WELCOME_MS,
      transports: ["websocket", "polling"],
      tryAllTransports: true,
    });
    this.#socket.onAny((event, data) => this.#heard(event as keyof ServerEvents, data));
    this.#socket.on("connect_error", (error) => this.#failed(error.message));
    this.#socket.on("disconnect", () => this.#failed());
  }

  /** Tries now instead of later. */
  open(): void {
    if (this.link.is !== "offline") return;
    this.#to({ is: "connecting" });
    this.#silenceMs = WELCOME_MS;
    this.#silentAt = Date.now() + this.#silenceMs;
    this.#socket.connect();
  }

  emit(frame: ClientFrame): void {
    // What is emitted before the connection is there would be kept by the library and sent in a later one.
    if (!this.#socket.connected) return;
    this.#socket.emit(frame.event, ...([frame.data] as never));
  }

  /** Time passes. */
  tick(): void {
    const now = Date.now();
    if (this.link.is === "offline" && now >= this.#retryAt) this.open();
    else if (this.link.is !== "refused" && this.link.is !== "offline" && now >= this.#silentAt) {
      this.#socket.disconnect();
      this.#failed();
    }
  }

  #heard<E extends keyof ServerEvents>(event: E, data: Parameters<ServerEvents[E]>[0]): void {
    if (event === "welcome") {
      this.#failures = 0;
      this.#silenceMs = SILENT_HEARTBEATS * (data as Parameters<ServerEvents["welcome"]>[0]).heartbeat_ms;
      this.#to({ is: "live" });
    } else if (this.link.is !== "live") {
      return;
    }
    this.#silentAt = Date.now() + this.#silenceMs;
    if (event === "revoked") this.#to({ is: "refused", code: "revoked" });
    this.ears.frame(event, data);
  }

  #failed(message?: string): void {
    if (this.link.is === "offline" || this.link.is === "refused") return;
    const wait = Math.min(BACKOFF_MAX_MS, BACKOFF_MS * 2 ** this.#failures++);
    this.#retryAt = Date.now() + Math.random() * wait;
    const refused = message !== undefined && REFUSALS.includes(message);
    this.ears.lost();
    this.#to(refused ? { is: "refused", code: message as ConnectRefusal } : { is: "offline" });
  }

  #to(link: Link): void {
    this.link = link;
    this.ears.changed();
  }
}
