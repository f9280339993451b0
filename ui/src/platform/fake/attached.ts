import type { Body } from "../../bindings/Body";
import type { File } from "../../bindings/File";
import type { FakeCore } from "./core";
import { painted } from "./painted";
import * as people from "./people";

const { ME, COLLEAGUE, INES } = people;

const MOLE: File = { sha256: "1".repeat(64), name: "mole.jpg", media_type: "image/jpeg", bytes: 482_133 };
const DAYLIGHT: File = { ...MOLE, sha256: "2".repeat(64), name: "mole-in-daylight.jpg", bytes: 1_912_400 };
const STRIP: File = { ...MOLE, sha256: "3".repeat(64), name: "lab strip.png", media_type: "image/png" };
const WRONG: File = { ...MOLE, sha256: "4".repeat(64), name: "not-hers.jpg" };
const REFERRAL: File = {
  sha256: "5".repeat(64),
  name: "referral-dermatology.pdf",
  media_type: "application/pdf",
  bytes: 482_133,
};
/** With a character that turns round what follows, so that it looks like a picture's. */
const TURNED: File = { ...REFERRAL, sha256: "6".repeat(64), name: "photo\u202egpj.exe", media_type: "" };

const says = (file: File): Body => ({ kind: "file", ...file });

/** A conversation with files of all sorts. */
export function withFiles(core: FakeCore): FakeCore {
  core.files.put(MOLE.sha256, painted(640, 480, 1));
  core.files.put(DAYLIGHT.sha256, painted(480, 640, 2));
  core.files.put(STRIP.sha256, painted(900, 120, 3));
  core.files.away.add(DAYLIGHT.sha256);
  const talk = core.talks.find(({ conversation }) => conversation.patient.id === INES.id);
  const { id, name } = INES;
  const ines = { id, name, role: "patient" } as const;
  talk
    ?.add(ines, 60, says(WRONG), `File: ${WRONG.name}`)
    .add(ines, 59, { kind: "amend", target: "c-ines-3", text: null }, "Took a message back")
    .add(ines, 52, says(TURNED), `File: ${TURNED.name}`)
    .says(50, "I am sorry, the first ones were the wrong files. This is it:")
    .add(ines, 49, says(DAYLIGHT), `File: ${DAYLIGHT.name}`)
    .add(COLLEAGUE, 30, says(REFERRAL), `File: ${REFERRAL.name}`)
    .read(ME.id)
    .add(ines, 3, says(MOLE), `File: ${MOLE.name}`);
  return core;
}

/** The same with a draft that has files, and with one on its way. */
export function attached(core: FakeCore): FakeCore {
  core.files.hold();
  const talk = core.talks.find(({ conversation }) => conversation.patient.id === INES.id);
  if (!talk) return core;
  talk
    .read(ME.id)
    .writes(0, says({ ...REFERRAL, bytes: 4_821_330 }), { state: "uploading", sent: 2_024_958 });
  talk.draft = "This is the referral. Please bring it along.";
  talk.cursor = talk.draft.length;
  talk.files = [
    MOLE,
    { ...REFERRAL, name: "how to find the dermatology outpatient clinic, 2nd floor.pdf" },
    STRIP,
  ];
  return core;
}
