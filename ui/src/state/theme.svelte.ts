import { remembered } from "./remembered";

const store = remembered("theme", ["system", "light", "dark"]);
let chosen = $state(store.read());

function paint() {
  if (chosen === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}
paint();

/** Light, dark, or what the system says. */
export const theme = {
  get chosen() {
    return chosen;
  },
  choose(next: string) {
    chosen = store.write(next);
    paint();
  },
};
