/** One of `choices`, remembered on this computer under `key`; the first unless another was chosen. */
export function remembered<T extends string>(key: string, choices: readonly [T, ...T[]]) {
  const known = (text: string | null): T | undefined => choices.find((choice) => choice === text);
  return {
    read: (): T => known(localStorage.getItem(key)) ?? choices[0],
    /** Answers what is chosen now. */
    write(text: string): T {
      const choice = known(text);
      if (choice !== undefined) localStorage.setItem(key, choice);
      return choice ?? this.read();
    },
  };
}
