import { remembered } from "./remembered";

const store = remembered("undo-seconds", ["5", "10", "0"]);
let chosen = $state(store.read());

/** For how long a reply can be taken back before it goes out, in seconds. */
export const undo = {
  get chosen() {
    return chosen;
  },
  choose(next: string) {
    chosen = store.write(next);
  },
  get ms(): number {
    return Number(chosen) * 1_000;
  },
};
