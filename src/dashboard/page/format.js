// Numbers, times and texts as people read them.

const number = new Intl.NumberFormat("en");
const oneDigit = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const minutes = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
// With its zone: whoever is sent a time may sit elsewhere.
const exact = new Intl.DateTimeFormat("en", {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZoneName: "short",
});
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const seconds = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });

export const count = (value) => number.format(value);
export const rate = (value) => (value >= 100 ? number.format(Math.round(value)) : oneDigit.format(value));
export const exactTime = (millis) => (Number.isFinite(millis) ? exact.format(millis) : "–");
export const clockTime = (millis, withSeconds) => (withSeconds ? seconds : clock).format(millis);

/** A share in percent; one that isn't nothing never reads as nothing, and one that isn't the whole never as the whole. */
export function percent(part, whole) {
  if (!whole || !part) return "0 %";
  const share = (100 * part) / whole;
  if (share < 0.1) return "< 0.1 %";
  return `${share < 10 ? oneDigit.format(share) : Math.min(Math.round(share), part < whole ? 99 : 100)} %`;
}

/** `just now`, `12 s ago`, `3 min ago`, `2 h ago`, else the day and the time. */
export function ago(millis, now) {
  const past = Math.max(0, Math.round((now - millis) / 1000));
  if (past < 2) return "just now";
  if (past < 60) return `${past} s ago`;
  if (past < 3600) return `${Math.floor(past / 60)} min ago`;
  if (past < 86400) return `${Math.floor(past / 3600)} h ago`;
  return minutes.format(millis);
}

/** A text of an event with what can't be seen made visible: controls, and what turns the direction of writing. */
export function shown(text) {
  const code = (char) => `\\u{${char.codePointAt(0).toString(16)}}`;
  return String(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, code);
}
