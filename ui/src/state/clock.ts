import { createSubscriber } from "svelte/reactivity";

/** The time, read anew every `period` milliseconds while something on the screen depends on it. */
class Clock {
  #subscribe: () => void;

  constructor(period: number) {
    this.#subscribe = createSubscriber((update) => {
      const timer = setInterval(update, period);
      return () => clearInterval(timer);
    });
  }

  get now(): number {
    this.#subscribe();
    return Date.now();
  }
}

/** For what is said in minutes; often enough that a label is never wrong for long. */
export const minutes = new Clock(5_000);
/** For countdowns. */
export const seconds = new Clock(500);
