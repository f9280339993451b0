/** A picture that somebody looks at: large, over everything else. */
export interface Looked {
  place: string;
  src: string;
  name: string;
}

let picture = $state.raw<Looked | null>(null);

export const looked = {
  get picture(): Looked | null {
    return picture;
  },
  forget() {
    picture = null;
  },
};

export function lookAt(at: Looked) {
  picture = at;
}
