let focused = $state(document.hasFocus());

// Some window systems tell nobody who has the focus: a key or a click is proof enough.
for (const sign of ["focus", "pointerdown", "keydown"]) {
  window.addEventListener(sign, () => (focused = true), { capture: true });
}
window.addEventListener("blur", () => (focused = false));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) focused = false;
});

/** Whether somebody looks at this window, as far as a window can know. */
export const attention = {
  get here(): boolean {
    return focused;
  },
};
