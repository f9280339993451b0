import { Channel, invoke } from "@tauri-apps/api/core";
import type { Reply } from "../bindings/Reply";
import type { Update } from "../bindings/Update";
import type { Platform } from "./platform";

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
    openLink: (url) => invoke("open_link", { url }),
  };
}
