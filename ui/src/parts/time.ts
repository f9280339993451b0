import type { Time } from "../bindings/Time";

const MINUTE = 60_000;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

const two = (n: number) => String(n).padStart(2, "0");

/** `14:06` on this computer's clock. */
export function clockTime(at: Time): string {
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Days from the day of `at` to the day of `now`, by this computer's calendar. */
export function daysBetween(at: Time, now: Time): number {
  const [a, b] = [new Date(at), new Date(now)];
  const day = (date: Date) => Date.UTC(date.getFullYear(), date.getMonth(), date.getDate());
  return Math.round((day(b) - day(a)) / (24 * 60 * MINUTE));
}

export const sameDay = (a: Time, b: Time): boolean => daysBetween(a, b) === 0;

const dayAndMonth = (date: Date, now: Time) => {
  const year = date.getFullYear() === new Date(now).getFullYear() ? "" : ` ${date.getFullYear()}`;
  return `${date.getDate()} ${MONTHS[date.getMonth()]}${year}`;
};

/** A day's heading: `Today`, `Yesterday`, `Tuesday, 17 Nov`, `3 May 2025`. */
export function dayLabel(at: Time, now: Time): string {
  const days = daysBetween(at, now);
  const date = new Date(at);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return `${WEEKDAYS[date.getDay()]}, ${dayAndMonth(date, now)}`;
  return dayAndMonth(date, now);
}

/** The shortest that still says when: `14:02`, `Yesterday`, `3 May`. */
export function shortTime(at: Time, now: Time): string {
  const days = daysBetween(at, now);
  if (days === 0) return clockTime(at);
  return days === 1 ? "Yesterday" : dayAndMonth(new Date(at), now);
}

/** A moment within a sentence: `14:07`, or `17 Nov, 14:07` when it was on another day. */
export function moment(at: Time, now: Time): string {
  return sameDay(at, now) ? clockTime(at) : `${dayAndMonth(new Date(at), now)}, ${clockTime(at)}`;
}

export const minutesSince = (at: Time, now: Time): number => Math.max(0, Math.floor((now - at) / MINUTE));

/** How long ago: `now`, `24 min`, `3 h`, `2 days`. */
export function duration(at: Time, now: Time): string {
  const minutes = minutesSince(at, now);
  if (minutes < 1) return "now";
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h`;
  return `${Math.floor(hours / 24)} days`;
}

function parts(born: string): [number, number, number] | null {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(born);
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  return month >= 1 && month <= 12 && day >= 1 && day <= 31 ? [year, month, day] : null;
}

/** `12 Mar 1957`; what isn't a date stays as it is. */
export function birthDate(born: string): string {
  const date = parts(born);
  return date ? `${date[2]} ${MONTHS[date[1] - 1]} ${date[0]}` : born;
}

/** Whole years, or months for who isn't two yet; `null` for what isn't a date or lies ahead. */
export function age(born: string | null, now: Time): string | null {
  const date = born === null ? null : parts(born);
  if (!date) return null;
  const today = new Date(now);
  const [year, month, day] = date;
  const months =
    (today.getFullYear() - year) * 12 + today.getMonth() + 1 - month - (today.getDate() < day ? 1 : 0);
  if (months < 0) return null;
  return months < 24 ? `${months} mo` : String(Math.floor(months / 12));
}
