import type { Command } from "../bindings/Command";
import type { Failure } from "../bindings/Failure";
import type { Reply } from "../bindings/Reply";
import type { Setting } from "../bindings/Setting";
import type { Settings as Seen } from "../bindings/Settings";
import { failureWords } from "../parts/words";

/** Minutes that are offered, as far as they may be. */
const MINUTES = [1, 2, 5, 10, 15, 30, 60];

/** What is set on this computer, as the core says it. */
export class Settings {
  /** `null` before the core has answered. */
  now = $state.raw<Seen | null>(null);
  /** Why something wasn't set. */
  trouble = $state("");
  #call: (command: Command) => Promise<Reply>;

  constructor(call: (command: Command) => Promise<Reply>) {
    this.#call = call;
  }

  /** What may be chosen as the minutes after which it locks; 0: never. */
  get idleChoices(): number[] {
    const { idle_lock_minutes: chosen = 0, idle_lock_most: most = 0 } = this.now ?? {};
    const may = (minutes: number) => most === 0 || minutes <= most;
    const choices = new Set([...MINUTES.filter(may), chosen, most]);
    return [...choices].sort((a, b) => (a || Infinity) - (b || Infinity)).filter((n) => n > 0 || most === 0);
  }

  load = () => this.#ask({ command: "settings" });

  /** Answers whether it was done. */
  set = (setting: Setting) => this.#ask({ command: "set", setting });

  async #ask(command: Command): Promise<boolean> {
    this.trouble = "";
    try {
      const reply = await this.#call(command);
      if (reply.reply === "settings") this.now = reply.settings;
      return true;
    } catch (failure) {
      this.trouble = failureWords(failure as Failure);
      await this.#show();
      return false;
    }
  }

  /** What is on the screen is what holds: not what was wished for, and what was set but not kept does hold. */
  async #show() {
    try {
      const reply = await this.#call({ command: "settings" });
      if (reply.reply === "settings") this.now = reply.settings;
    } catch {
      if (this.now) this.now = { ...this.now };
    }
  }
}
