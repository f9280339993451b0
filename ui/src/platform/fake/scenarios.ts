import type { Repair } from "../../bindings/Repair";
import type { Vault } from "../../bindings/Vault";
import { attached, withFiles } from "./attached";
import { big } from "./big";
import { FakeCore } from "./core";
import { everybody } from "./everybody";
import * as people from "./people";
import { Talk } from "./talk";
import type { FakeVault } from "./vault";

const { ME } = people;
const DAY = 24 * 60;

function offline(): FakeCore {
  const core = new FakeCore(everybody());
  core.link = {
    link: "offline",
    since: Date.now() - 180_000,
    next_try: Date.now() + 8_000,
    trouble: "closed",
  };
  core.talks[0]?.writes(
    1,
    "Thank you for telling me. Are you having that tightness right now, while you are reading this?",
    { state: "waiting", recallable: true },
  );
  return core;
}

function refused(): FakeCore {
  const core = new FakeCore(everybody());
  core.talks[0]
    ?.writes(1, "Is the tightness there right now?", {
      state: "refused",
      code: "rate_limited",
      retry: "later",
    })
    .writes(1, "Please sit down and rest while we talk.", {
      state: "refused",
      code: "conflict",
      retry: "never",
    })
    .writes(0, "I am here.", { state: "sending" });
  return core;
}

function signedOut(): FakeCore {
  const core = new FakeCore(everybody());
  core.signedIn = false;
  return core;
}

function tokenExpired(): FakeCore {
  const core = offline();
  core.link = { link: "refused", code: "expired" };
  return core;
}

/** What unlocks each cache that can be locked. */
const PASSPHRASE = "four green apples";

/** A desk whose cache is as `vault` says. */
function kept(vault: Vault | null, from = new FakeCore(everybody())): FakeCore {
  from.vault.passphrase = PASSPHRASE;
  from.vault.open();
  if (vault) from.vault.state = vault;
  return from;
}

/** A desk that this computer's sign-in opens, when it says `system`. */
function signIn(system: FakeVault["system"], locked = true): FakeCore {
  const core = new FakeCore(everybody());
  core.vault.system = system;
  core.vault.open();
  if (locked) core.vault.state = { vault: "locked", by: "idle", opener: "system", waiting: 0 };
  if (system === null) core.settings.now.system_unlock = { on: false, set_by: "missing" };
  return core;
}

/** A desk whose settings are an organisation's, as far as this computer has them. */
function organised(): FakeCore {
  const core = signIn(null, false);
  core.settings.now.notifications = { on: false, set_by: "policy" };
  core.settings.now.content_protection = { on: false, set_by: "missing" };
  core.settings.now.set_aside = true;
  return core;
}

function noKeychain(keeper: "nothing" | "nothing_by_policy"): FakeCore {
  const core = new FakeCore(everybody());
  core.vault.open(keeper);
  return core;
}

function repaired(what: Repair): FakeCore {
  const core = kept(null);
  core.repaired = { what, at: Date.now() - 60_000 };
  core.signedIn = what !== "set_aside";
  return core;
}

/** A long conversation of which the newest part is kept, and one that isn't kept at all. */
function archive(core = new FakeCore(everybody())): FakeCore {
  const martha = new Talk(people.MARTHA);
  for (let n = 1; n <= 1_200; n++) {
    const text =
      n % 300 === 50 ? `My inhaler is empty again, for the ${n}th time.` : `Day ${n}, nothing new.`;
    if (n % 4 === 0) martha.answers((1_300 - n) * 60, `Noted on day ${n}.`);
    else martha.says((1_300 - n) * 60, text);
  }
  martha.read(ME.id).read(people.MARTHA.id).keptFrom = 901;
  const walter = new Talk(people.WALTER)
    .says(70 * DAY, "The blue inhaler makes my hands shake.")
    .answers(70 * DAY - 5, "That passes in a few minutes. Two puffs are enough.")
    .says(70 * DAY - 9, "Good to know, thank you.")
    .change({ state: "closed", closed_at: Date.now() - 69 * DAY * 60_000 });
  walter.kept = false;
  core.add(martha, walter);
  return core;
}

function typing(): FakeCore {
  const core = new FakeCore(everybody());
  const talk = core.talks[0];
  if (talk) {
    const { id, name } = people.MARTHA;
    const conversation = talk.conversation.id;
    talk.typing = { conversation, who: { id, name, role: "patient" }, until: Date.now() + 3_600_000 };
  }
  return core;
}

function metered(): FakeCore {
  const core = new FakeCore(everybody());
  core.history = { held: 5_400, all: 12_000, paused: "metered" };
  return core;
}

export const SCENARIOS = {
  desk: () => new FakeCore(everybody()),
  signin: signedOut,
  empty: () => new FakeCore([]),
  offline,
  refused,
  "token-expired": tokenExpired,
  "can-lock": () => kept(null),
  "no-keychain": () => noKeychain("nothing"),
  "no-keeping": () => noKeychain("nothing_by_policy"),
  opening: () => kept({ vault: "opening" }),
  locked: () => kept({ vault: "locked", by: "idle", opener: "passphrase", waiting: 0 }),
  "locked-session": () => kept({ vault: "locked", by: "session", opener: "passphrase", waiting: 0 }),
  "locked-waiting": () => kept({ vault: "locked", by: "start", opener: "passphrase", waiting: 2 }),
  "locked-system": () => signIn("yes"),
  "locked-stranger": () => signIn("not_recognised"),
  "locked-alone": () => signIn(null),
  system: () => signIn("yes", false),
  organised,
  expired: () => kept({ vault: "expired", reached: Date.now() - 15 * DAY * 60_000 }, offline()),
  "closed-keychain": () => kept({ vault: "closed", why: "keychain" }),
  "closed-newer": () => kept({ vault: "closed", why: "newer" }),
  "closed-disk": () => kept({ vault: "closed", why: "disk" }),
  repaired: () => repaired("rebuilt"),
  salvaged: () => repaired("salvaged"),
  "set-aside": () => repaired("set_aside"),
  typing,
  archive,
  "archive-offline": () => archive(offline()),
  metered,
  big,
  files: () => withFiles(new FakeCore(everybody())),
  attached: () => attached(withFiles(new FakeCore(everybody()))),
  "files-offline": () => withFiles(offline()),
};
