/**
 * HTTP dates (RFC 9110 §5.6.7): one form written, three forms read.
 */

/** As HTTP dates and logs name them, from January. */
export const MONTHS: readonly string[] = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
];
const MONTH = `(${MONTHS.join('|')})`;
const TIME = '(\\d{2}):(\\d{2}):(\\d{2})';
// Sun, 06 Nov 1994 08:49:37 GMT
const IMF_FIXDATE = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\\d{2}) ${MONTH} (\\d{4}) ${TIME} GMT$`);
// Sunday, 06-Nov-94 08:49:37 GMT
const RFC_850 = new RegExp(
  `^(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday), (\\d{2})-${MONTH}-(\\d{2}) ${TIME} GMT$`,
);
// Sun Nov  6 08:49:37 1994
const ASCTIME = new RegExp(`^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) ${MONTH} ([ \\d]\\d) ${TIME} (\\d{4})$`);

/** The date as IMF-fixdate. `milliseconds` since the epoch; the fraction of the second is dropped. */
export function formatHttpDate(milliseconds: number): string {
  return new Date(milliseconds).toUTCString();
}

/**
 * Milliseconds since the epoch, or undefined when the text is not an HTTP date.
 * @param now decides the century of a two-digit year: more than 50 years ahead is taken as past
 */
export function parseHttpDate(text: string, now = Date.now()): number | undefined {
  const imf = IMF_FIXDATE.exec(text);
  if (imf !== null) return toTime(imf[3], imf[2], imf[1], imf.slice(4));
  const asctime = ASCTIME.exec(text);
  if (asctime !== null) return toTime(asctime[6], asctime[1], asctime[2], asctime.slice(3));
  const rfc850 = RFC_850.exec(text);
  if (rfc850 === null) return undefined;
  const thisYear = new Date(now).getUTCFullYear();
  let year = Math.floor(thisYear / 100) * 100 + Number(rfc850[3]);
  if (year > thisYear + 50) year -= 100;
  return toTime(String(year), rfc850[2], rfc850[1], rfc850.slice(4));
}

function toTime(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  clock: readonly (string | undefined)[],
): number | undefined {
  const [hours, minutes, seconds] = clock.map(Number) as [number, number, number];
  const monthIndex = MONTHS.indexOf(month as string);
  const date = new Date(0);
  date.setUTCFullYear(Number(year), monthIndex, Number(day));
  // A leap second is written as :60 and counted as the second before it.
  date.setUTCHours(hours, minutes, Math.min(seconds, 59));
  const valid =
    hours < 24 &&
    minutes < 60 &&
    seconds <= 60 &&
    date.getUTCDate() === Number(day) &&
    date.getUTCMonth() === monthIndex;
  return valid ? date.getTime() : undefined;
}
