/** Often enough for a core that counts idleness in minutes, seldom enough to cost nothing. */
export const ACTIVE_EVERY_MS = 20_000;

/** What somebody does at a window. */
export const SIGNS = ["pointerdown", "pointermove", "keydown", "wheel"] as const;

/** Makes a listener that calls `report` at most once every {@link ACTIVE_EVERY_MS} while somebody is at the window. */
export function activity(report: () => void, now: () => number = () => performance.now()) {
  let reported = -Infinity;
  let pointer: string | null = null;
  return (event: Event) => {
    if (event.type === "pointermove" && "screenX" in event && "screenY" in event) {
      // A page that moves under a pointer at rest is told of a move too: nobody made it.
      const at = `${event.screenX} ${event.screenY}`;
      const moved = pointer !== null && pointer !== at;
      pointer = at;
      if (!moved) return;
    }
    if (now() - reported < ACTIVE_EVERY_MS) return;
    reported = now();
    report();
  };
}
