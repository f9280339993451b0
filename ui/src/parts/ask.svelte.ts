let asked = $state.raw<URL | null>(null);

/** The web address that somebody wants to open and has not confirmed. */
export const link = {
  get asked(): URL | null {
    return asked;
  },
  forget() {
    asked = null;
  },
};

export function askToOpen(url: URL) {
  asked = url;
}
