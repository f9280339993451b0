/** The parts of the window that F6 goes through, in the order of the page. */
export type Region = "search" | "inbox" | "messages" | "composer" | "status";

const all = () => [...document.querySelectorAll<HTMLElement>("[data-region]")];

export function focusRegion(region: Region) {
  all()
    .find((element) => element.dataset.region === region)
    ?.focus();
}

export function nextRegion(step: 1 | -1) {
  const regions = all();
  const here = regions.findIndex((element) => element.contains(document.activeElement));
  const start = here === -1 && step === -1 ? 0 : here;
  regions.at((start + step) % regions.length)?.focus();
}
