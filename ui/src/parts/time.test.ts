import { expect, test } from "vitest";
import { age, birthDate, clockTime, dayLabel, duration, moment, sameDay, shortTime } from "./time";

/** A moment by this computer's calendar, whatever its time zone. */
const at = (year: number, month: number, day: number, hour = 12, minute = 0) =>
  new Date(year, month - 1, day, hour, minute).getTime();
const NOW = at(2026, 11, 22, 14, 10);

test("the time of day", () => {
  expect(clockTime(at(2026, 11, 22, 9, 5))).toBe("09:05");
});

test.each([
  [at(2026, 11, 22, 0, 0), "Today", "00:00"],
  [at(2026, 11, 21, 23, 59), "Yesterday", "Yesterday"],
  [at(2026, 11, 17), "Tuesday, 17 Nov", "17 Nov"],
  [at(2026, 11, 15), "15 Nov", "15 Nov"],
  [at(2025, 5, 3), "3 May 2025", "3 May 2025"],
  [at(2026, 11, 23), "23 Nov", "23 Nov"],
])("days: %#", (when, label, short) => {
  expect(dayLabel(when, NOW)).toBe(label);
  expect(shortTime(when, NOW)).toBe(short);
});

test("a day is the calendar's, not 24 hours", () => {
  expect(sameDay(at(2026, 11, 22, 0, 0), at(2026, 11, 22, 23, 59))).toBe(true);
  expect(sameDay(at(2026, 11, 21, 23, 59), at(2026, 11, 22, 0, 0))).toBe(false);
});

test("a moment within a sentence", () => {
  expect(moment(at(2026, 11, 22, 14, 7), NOW)).toBe("14:07");
  expect(moment(at(2026, 11, 17, 14, 7), NOW)).toBe("17 Nov, 14:07");
});

test.each([
  [0, "now"],
  [-5, "now"],
  [1, "1 min"],
  [59, "59 min"],
  [60, "1 h"],
  [47 * 60, "47 h"],
  [48 * 60, "2 days"],
])("%d minutes ago", (minutes, words) => {
  expect(duration(NOW - minutes * 60_000, NOW)).toBe(words);
});

test.each([
  ["1957-03-12", "12 Mar 1957", "69"],
  ["1957-11-22", "22 Nov 1957", "69"],
  ["1957-11-23", "23 Nov 1957", "68"],
  ["2025-04-03", "3 Apr 2025", "19 mo"],
  ["2026-11-22", "22 Nov 2026", "0 mo"],
  ["2030-01-01", "1 Jan 2030", null],
  ["unknown", "unknown", null],
  ["1957-13-01", "1957-13-01", null],
])("born %s", (born, words, years) => {
  expect(birthDate(born)).toBe(words);
  expect(age(born, NOW)).toBe(years);
});
