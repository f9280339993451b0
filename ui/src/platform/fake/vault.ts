import type { Command } from "../../bindings/Command";
import type { Keeper } from "../../bindings/Keeper";
import type { Opener } from "../../bindings/Opener";
import type { Reply } from "../../bindings/Reply";
import type { Vault } from "../../bindings/Vault";
import { fail, wait } from "./answer";

/** As long as a passphrase's derivation takes, about. */
const DERIVE_MS = 300;
/** As long as a person takes to say who they are, in a hurry. */
const SIGN_IN_MS = 400;
const SHORTEST = 8;
const DONE: Reply = { reply: "done" };

/** Plays what opens, locks and closes the cache. */
export class FakeVault {
  state: Vault;
  /** What unlocks it, if something does. */
  passphrase: string | null = null;
  /** What the system says when it is asked who is there; `null`: it can't be asked. */
  system: "yes" | "not_recognised" | "dismissed" | null = null;
  /** Whether it may be asked. */
  systemMay = true;
  idleMinutes = 10;
  /** Whether what keeps a closed cache closed has been seen to. */
  mended = false;
  #keeper: Keeper;
  #publish: () => void;

  constructor(publish: () => void, keeper: Keeper = "keychain") {
    this.#publish = publish;
    this.#keeper = keeper;
    this.state = this.#opened();
  }

  get isOpen(): boolean {
    return this.state.vault === "open";
  }

  /** Opens it with whatever keeps it. */
  open(keeper: Keeper = this.#keeper) {
    this.#keeper = keeper;
    this.state = this.#opened();
  }

  /** Ends with an empty one that nothing locks. */
  shred() {
    this.passphrase = null;
    this.open(this.#keeper === "passphrase" ? "nothing" : this.#keeper);
  }

  /** What a command of its own answers; `null` for the others, which only an open one lets pass. */
  async do(command: Command): Promise<Reply | null> {
    switch (command.command) {
      case "unlock":
        if (!this.isOpen) await this.#unlock(command.passphrase);
        return DONE;
      case "system_unlock":
        return { reply: "system_unlock", there: this.system !== null };
      case "unlock_by_system":
        if (!this.isOpen) await this.#unlockBySystem();
        return DONE;
      case "open_cache":
        await this.#openAgain();
        return DONE;
      case "sign_out":
        return null;
      case "reconnect":
      case "pause":
      case "sign_in":
        if (this.state.vault === "expired") return null;
    }
    if (!this.isOpen) throw fail({ failure: "locked" });
    switch (command.command) {
      case "lock":
        if (!this.#opener) throw fail({ failure: "no_passphrase" });
        this.state = { vault: "locked", by: "person", opener: this.#opener, waiting: 0 };
        return DONE;
      case "set_passphrase":
        await this.#choose(command.current, command.new);
        return DONE;
      case "active":
        return DONE;
      default:
        return null;
    }
  }

  async #unlock(passphrase: string) {
    await wait(DERIVE_MS);
    if (this.passphrase === null) throw fail({ failure: "no_passphrase" });
    if (passphrase !== this.passphrase) throw fail({ failure: "wrong_passphrase" });
    this.open();
  }

  async #unlockBySystem() {
    await wait(SIGN_IN_MS);
    if (this.system === null) throw fail({ failure: "no_system_unlock" });
    if (this.system !== "yes") throw fail({ failure: this.system });
    this.open();
  }

  async #openAgain() {
    const before = this.state;
    if (before.vault !== "closed") throw fail({ failure: "locked" });
    this.state = { vault: "opening" };
    this.#publish();
    await wait(DERIVE_MS);
    if (this.mended) return this.open();
    this.state = before;
    this.#publish();
    throw fail({ failure: before.why === "keychain" ? "locked" : "storage" });
  }

  async #choose(current: string | null, next: string) {
    if ([...next].length < SHORTEST) throw fail({ failure: "short_passphrase", characters: SHORTEST });
    await wait(DERIVE_MS);
    if (this.passphrase !== null && current !== this.passphrase) throw fail({ failure: "wrong_passphrase" });
    this.passphrase = next;
    this.open(this.#keeper === "nothing" ? "passphrase" : this.#keeper);
  }

  get #opener(): Opener | null {
    if (this.passphrase !== null) return "passphrase";
    return this.#keeper === "keychain" && this.system !== null && this.systemMay ? "system" : null;
  }

  #opened = (): Vault => ({
    vault: "open",
    keeper: this.#keeper,
    opener: this.#opener,
    idle_minutes: this.idleMinutes,
  });
}
