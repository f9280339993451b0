import { Channel, convertFileSrc, invoke } from "@tauri-apps/api/core";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";
import type { Platform } from "./platform";

/** The scheme under which the shell shows pictures. */
const FILES = "bedside-file";

/** The desktop shell as the window's host. */
export function tauri(): Platform {
  let attached = false;
  return {
    call: (command) => invoke<Reply>("call", { command }),
    async watch(queries, listener) {
      // One channel a window: the shell keeps the one of the first call.
      const channel = attached ? null : new Channel<Update>(listener);
      await invoke("watch", { queries, channel });
      attached = true;
    },
    async attach(conversation, file) {
      const bytes = new Uint8Array(await file.arrayBuffer());
      // A header holds ASCII alone.
      const headers = {
        conversation: encodeURIComponent(conversation),
        name: encodeURIComponent(file.name),
        "media-type": encodeURIComponent(file.type),
      };
      return invoke<Reply>("attach", bytes, { headers });
    },
    fileUrl: (place) => convertFileSrc(place, FILES),
    saveFile: (place) => invoke<Reply>("save_file", { place }),
    openLink: (url) => invoke("open_link", { url }),
  };
}
