import type { File } from "../../bindings/File";
import { wait } from "./answer";

/** As long as a part of a file takes, about. */
const PART_MS = 250;
/** What no page can show. */
const BROKEN = "data:image/png;base64,AAAA";

/** Plays what keeps the bytes of files, and what brings them to the server and back. */
export class FakeFiles {
  /** Those that only the server has. */
  readonly away = new Set<string>();
  #urls = new Map<string, string>();
  #held: Promise<unknown> | null = null;

  /** Lets no file go on until the answer is called. */
  hold(): () => void {
    let go = () => {};
    this.#held = new Promise<void>((resolve) => (go = resolve));
    return () => {
      this.#held = null;
      go();
    };
  }

  /** Waits for as long as a part of a file takes. */
  pace = () => this.#held ?? wait(PART_MS);

  put(sha256: string, url: string) {
    this.#urls.set(sha256, url);
  }

  has = (sha256: string, online: boolean) => online || !this.away.has(sha256);

  url(sha256: string | undefined, online: boolean): string {
    const url = sha256 !== undefined && this.has(sha256, online) ? this.#urls.get(sha256) : undefined;
    return url ?? BROKEN;
  }

  async keep(file: globalThis.File): Promise<File> {
    const bytes = new Uint8Array(await file.arrayBuffer());
    await this.pace();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const media_type = file.type || "application/octet-stream";
    const letters = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
    this.put(sha256, `data:${media_type};base64,${btoa(letters)}`);
    return { sha256, name: file.name, media_type, bytes: file.size };
  }
}
