import type { Reply } from "../../bindings/Reply";
import type { Setting } from "../../bindings/Setting";
import type { Settings } from "../../bindings/Settings";
import { fail } from "./answer";
import type { FakeVault } from "./vault";

/** Plays what keeps the settings. */
export class FakeSettings {
  readonly now: Settings = {
    notifications: { on: true, set_by: "user" },
    content_protection: { on: true, set_by: "user" },
    system_unlock: { on: true, set_by: "user" },
    idle_lock_minutes: 10,
    idle_lock_most: 10,
    set_aside: false,
  };
  #vault: FakeVault;

  constructor(vault: FakeVault) {
    this.#vault = vault;
  }

  reply = (): Reply => ({ reply: "settings", settings: structuredClone(this.now) });

  set(setting: Setting): Reply {
    if (setting.setting === "idle_lock") this.now.idle_lock_minutes = setting.minutes;
    else {
      const one = this.now[setting.setting];
      if (one.set_by !== "user") throw fail({ failure: "set_by_policy" });
      one.on = setting.on;
    }
    this.#vault.idleMinutes = this.now.idle_lock_minutes;
    this.#vault.systemMay = this.now.system_unlock.on;
    this.#vault.open();
    return this.reply();
  }
}
