const KEY = "theme";

export type Theme = "system" | "light" | "dark";

const isTheme = (text: string | null): text is Theme =>
  text === "system" || text === "light" || text === "dark";

const stored = localStorage.getItem(KEY);
let chosen = $state<Theme>(isTheme(stored) ? stored : "system");

function paint() {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
paint();

/** Light, dark, or what the system says; remembered on this computer. */
export const theme = {
  get chosen(): Theme {
    return chosen;
  },
  choose(next: string) {
    if (!isTheme(next)) return;
    chosen = next;
    localStorage.setItem(KEY, next);
    paint();
  },
};
