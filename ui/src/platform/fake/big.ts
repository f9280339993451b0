import { FakeCore } from "./core";
import * as people from "./people";
import { Talk } from "./talk";

const { ME } = people;

/** As much as a console ever holds. */
export function big(): FakeCore {
  const talks = Array.from({ length: 2_000 }, (_, i) => {
    const talk = new Talk({ id: `u-${i}`, name: `Patient ${i}`, born: "1970-01-01" });
    return talk.says(5 + i, `Message of patient ${i}`);
  });
  const long = new Talk(people.MARTHA);
  const [one] = long.says(20_000, "First").entries;
  if (one) {
    const patient = one.author;
    const me = { id: ME.id, name: ME.name, role: ME.role };
    long.entries = Array.from({ length: 10_000 }, (_, i) => {
      const text = `Message ${i + 1}. ${"More words make a longer line. ".repeat((i * 7) % 9)}`;
      return {
        ...one,
        id: `long-${i}`,
        seq: i + 1,
        at: one.at + i * 60_000,
        author: i % 3 ? patient : me,
        preview: text,
        body: { kind: "text", text },
      };
    });
    long.change({ head: 10_000, waiting_since: one.at, last: { ...one, seq: 10_000 } }).read(ME.id);
  }
  return new FakeCore([long, ...talks]);
}
