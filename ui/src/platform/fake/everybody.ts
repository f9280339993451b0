import type { Body } from "../../bindings/Body";
import * as people from "./people";
import { Talk } from "./talk";

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

export function everybody(): Talk[] {
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
