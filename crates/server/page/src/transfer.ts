import { isPicture, shown } from "./names";
import type { Fault } from "./outbox";

/** Nearer to what is in view than this, a picture is fetched. */
const NEAR = "600px";

/** Brings the bytes of files to the server and back, with the patient's token. */
export class Transfer {
  readonly #pictures = new Map<string, string>();
  readonly #wanted = new WeakMap<Element, { sha256: string; type: string }>();
  readonly #near = new IntersectionObserver(
    (seen) => {
      for (const { isIntersecting, target } of seen) if (isIntersecting) void this.#fill(target);
    },
    { rootMargin: NEAR },
  );

  constructor(private readonly token: string) {}

  /** Whether this browser can name bytes by their digest: it does so only for pages that came over a safe way. */
  static possible(): boolean {
    return typeof crypto.subtle?.digest === "function";
  }

  async upload(
    bytes: Blob,
    sent: (bytes: number) => void,
    stop: AbortSignal,
  ): Promise<{ sha256: string } | { fault: Fault }> {
    let sha256: string;
    try {
      sha256 = hex(await crypto.subtle.digest("SHA-256", await bytes.arrayBuffer()));
    } catch {
      // Such as a file that was moved since it was chosen.
      return { fault: "gone" };
    }
    const status = await this.#put(sha256, bytes, sent, stop);
    return status === 200 || status === 201 ? { sha256 } : { fault: fault(status) };
  }

  /** `fetch` doesn't say how much has gone up. */
  #put(sha256: string, bytes: Blob, sent: (bytes: number) => void, stop: AbortSignal): Promise<number> {
    return new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("PUT", address(sha256));
      request.setRequestHeader("authorization", `Bearer ${this.token}`);
      request.setRequestHeader("content-type", "application/octet-stream");
      request.upload.onprogress = ({ loaded }) => sent(loaded);
      request.onloadend = () => done(request.status);
      stop.addEventListener("abort", () => request.abort());
      if (stop.aborted) done(0);
      else request.send(bytes);
    });
  }

  /** Fills a picture once it comes into view; at once if it was shown before. */
  picture(image: HTMLImageElement, sha256: string, type: string): void {
    const known = this.#pictures.get(sha256);
    if (known) {
      image.src = known;
      return;
    }
    this.#wanted.set(image, { sha256, type });
    this.#near.observe(image);
  }

  async #fill(image: Element): Promise<void> {
    const wanted = this.#wanted.get(image);
    if (!wanted || !(image instanceof HTMLImageElement)) return;
    const { sha256, type } = wanted;
    let url = this.#pictures.get(sha256);
    if (!url) {
      const bytes = await this.#get(sha256);
      if (!bytes) return;
      // Another may have come while this one was on its way.
      url = this.#pictures.get(sha256) ?? URL.createObjectURL(new Blob([bytes], { type: pictureType(type) }));
      this.#pictures.set(sha256, url);
    }
    image.src = url;
    this.#near.unobserve(image);
  }

  /** Hands a file to the browser to be saved; false if it can't be fetched. */
  async save(sha256: string, name: string): Promise<boolean> {
    const bytes = await this.#get(sha256);
    if (!bytes) return false;
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    const anchor = document.createElement("a");
    anchor.href = url;
    anchor.download = shown(name);
    anchor.click();
    URL.revokeObjectURL(url);
    return true;
  }

  async #get(sha256: string): Promise<ArrayBuffer | null> {
    try {
      const headers = { authorization: `Bearer ${this.token}` };
      const answer = await fetch(address(sha256), { headers, cache: "no-store" });
      return answer.ok ? await answer.arrayBuffer() : null;
    } catch {
      return null;
    }
  }
}

function address(sha256: string): string {
  return `/api/blobs/${encodeURIComponent(sha256)}`;
}

/** Whatever the sender called it, it is a picture or nothing. */
function pictureType(type: string): string {
  return isPicture(type) ? type : "application/octet-stream";
}

function hex(digest: ArrayBuffer): string {
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function fault(status: number): Fault {
  switch (status) {
    case 0:
    // A proxy's, while the server is away.
    case 502:
    case 504:
      return "network";
    case 413:
      return "too_large";
    case 408:
    case 429:
    case 503:
      return "busy";
    default:
      return "denied";
  }
}
