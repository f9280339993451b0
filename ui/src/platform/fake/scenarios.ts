import type { Body } from "../../bindings/Body";
import type { Repair } from "../../bindings/Repair";
import type { Vault } from "../../bindings/Vault";
import { attached, withFiles } from "./attached";
import { big } from "./big";
import { FakeCore } from "./core";
import * as people from "./people";
import { Talk } from "./talk";
import type { FakeVault } from "./vault";

const { ME, COLLEAGUE } = people;
const DAY = 24 * 60;

function martha(): Talk {
  const talk = new Talk(people.MARTHA)
    .says(19 * DAY, "Hello, could I get a refill of the lisinopril? I have four tablets left.")
    .answers(19 * DAY - 12, "Of course, Martha. It will be at your pharmacy this afternoon.")
    .says(19 * DAY - 14, "Thank you!")
    .says(
      35,
      "Good afternoon. I came in for a refill of my blood pressure medicine last month, the lisinopril.",
    )
    .told(35, 10)
    .answers(28, "Hello Martha, I have your record in front of me. How have you been feeling on it?")
    .read(people.MARTHA.id);
  const note = "Family history of early coronary disease. Low threshold for an in-person visit.";
  return talk
    .add(COLLEAGUE, 24, { kind: "note", text: note, mentions: [] }, `Note: ${note}`)
    .add(COLLEAGUE, 23, { kind: "assign", to: ME.id }, "Assigned to Dr. Amara Osei")
    .read(ME.id)
    .says(
      2,
      "Mostly fine. But since Tuesday it gets tight across my chest when I climb the stairs, and I’m short of breath at the top. It goes away when I sit down.",
    )
    .change({ urgency: { level: "urgent", reason: "Red-flag words: “chest”, “short of breath”", basis: 9 } });
}

/** Every kind of entry, and what the window makes of links and of unknown kinds. */
function tomasz(): Talk {
  const survey = { kind: "survey", questions: 3 } as unknown as Body;
  return new Talk(people.TOMASZ)
    .says(
      2 * DAY,
      "The leaflet says to read https://www.medicines.example/leaflet(en).pdf first. And is https://раураl.example/invoice really from you?",
    )
    .answers(
      2 * DAY - 3,
      "The first one is right. Please don’t open the second one: it isn’t ours.",
      COLLEAGUE,
    )
    .add(people.SYSTEM, 2 * DAY - 4, { kind: "state", state: "open" }, "Opened")
    .add(
      ME,
      DAY + 30,
      {
        kind: "file",
        sha256: "0".repeat(64),
        name: "dosing-plan.pdf",
        media_type: "application/pdf",
        bytes: 184_320,
      },
      "File: dosing-plan.pdf",
    )
    .says(DAY, "Got it. So the second dose is tomorrow at eight?")
    .add(
      people.SYSTEM,
      DAY - 1,
      {
        kind: "suggestion",
        task: "reply",
        basis: 5,
        model: "smollm2-135m",
        version: "3",
        items: [
          { text: "Yes, tomorrow at eight, with food." },
          { text: "Please wait for the blood result before the second dose." },
        ],
      },
      "2 suggested replies",
    )
    .add(
      ME,
      DAY - 2,
      { kind: "outcome", suggestion: "c-tomasz-6", item: 1, result: "edited", shown_ms: 9000 },
      "Edited suggestion 2",
    )
    .answers(DAY - 3, "Please hold the second dose until the blood result is in.")
    .add(
      ME,
      DAY - 4,
      { kind: "amend", target: "c-tomasz-8", text: "Please hold the second dose until I write again." },
      "Corrected a message",
    )
    .add(people.SYSTEM, DAY - 5, survey, "Asked three questions about sleep")
    .read(people.TOMASZ.id)
    .read(ME.id)
    .says(9, "I already took it this morning, sorry. I feel fine so far.")
    .writes(
      9,
      "Please hold the second dose until the blood result is in.",
      {
        state: "refused",
        code: "behind",
        retry: "after_reading",
      },
      10,
    );
}

function everybody(): Talk[] {
  return [
    martha(),
    tomasz(),
    new Talk(people.ANDRE)
      .says(26, "Hello, I was given the antibiotic yesterday.")
      .says(25, "It makes me a bit queasy.")
      .says(24, "Should I keep taking it with food?"),
    new Talk(people.LUCIA)
      .answers(40, "Do you have a fever with the rash?")
      .read(ME.id)
      .says(11, "No fever, but the rash is on both arms now"),
    new Talk(people.GRACE).says(
      6,
      "She has had an earache since last night and she won’t let me touch the ear. Her mother, Ji-won.",
    ),
    new Talk(people.SAMUEL)
      .says(70, "I’ll try the stretches you described, then.")
      .answers(68, "That sounds right. Let me know on Friday.")
      .read(people.SAMUEL.id)
      .read(ME.id),
    new Talk(people.INES)
      .says(95, "The mole looks bigger to me.")
      .answers(90, "Could you send a photo in daylight?")
      .read(ME.id),
    new Talk(people.HANA)
      .says(4 * 60, "When will the lab result be there?")
      .answers(200, "On Thursday, and we will write to you the same day.", COLLEAGUE)
      .read(people.HANA.id)
      .read(ME.id),
    new Talk(people.YUSUF)
      .says(DAY + 60, "السلام عليكم، هل يمكنني تناول الدواء قبل النوم؟")
      .answers(DAY, "Yes, before bed is fine.")
      .read(people.YUSUF.id)
      .read(ME.id),
    new Talk(people.OLIVER)
      .says(3 * DAY, "He weighs 9.8 kg now.")
      .answers(3 * DAY - 20, "Lovely, that is right on his curve.")
      .read(ME.id)
      .change({ state: "closed" }),
    new Talk(people.PRUDENCE)
      .says(
        12 * DAY,
        "I should like to discuss the results with Dr. Osei in person, if that can be arranged at all.",
      )
      .answers(12 * DAY - 30, "It can: the front desk will call you.", COLLEAGUE)
      .read(people.PRUDENCE.id)
      .read(ME.id),
    draft(new Talk(people.NOOR).answers(400 * DAY, "Welcome. Write here whenever you need us.").read(ME.id)),
  ];
}

function draft(talk: Talk): Talk {
  talk.draft = "Dear Noor, it has been a year since";
  // Before "a year".
  talk.cursor = 22;
  return talk;
}

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
