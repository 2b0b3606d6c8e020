/**
 * The head of what a CGI script or a FastCGI application answers → status and fields (RFC 3875 §6). Pure.
 */
import { isWritableField } from '../../http/responseHead.js';
import { BackendFailure, MAX_HEAD } from '../common/backend.js';

export interface CgiHead {
  /** 200 to 599. */
  readonly status: number;
  readonly reason: string | undefined;
  /** Those of the answer; not those of the connection, which is ours. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  readonly contentLength: number | undefined;
  /** A path of the site with its query, to be answered instead (RFC 3875 §6.2.2). */
  readonly local: string | undefined;
}

/** Fields that belong to the connection, or that we say ourselves (RFC 9110 §7.6.1). */
const NOT_ITS_OWN = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'content-length',
  'date',
  'status',
  'x-sendfile',
  'x-accel-redirect',
]);

/** UTF-8, read as latin1. */
const BOM = '\u00ef\u00bb\u00bf';

/**
 * Looks for a head at the start of `bytes`; lines may end in LF alone, as scripts write them.
 * @returns undefined when more is needed
 * @throws BackendFailure (502) for what is no head
 */
export function parseCgiHead(bytes: Buffer): { readonly head: CgiHead; readonly length: number } | undefined {
  const end = headEnd(bytes);
  if (end === undefined) {
    if (bytes.length > MAX_HEAD) throw nonsense('its head does not end');
    return undefined;
  }
  if (end.next > MAX_HEAD) throw nonsense('its head is too long');
  const text = bytes.toString('latin1', 0, end.at);
  const lines = text === '' ? [] : text.split('\n').map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  return { head: readHead(lines.map(readLine)), length: end.next };
}

/** Where the head ends, and where the content begins: at the first empty line. */
function headEnd(bytes: Buffer): { readonly at: number; readonly next: number } | undefined {
  for (let start = 0; ;) {
    const lf = bytes.indexOf(0x0a, start);
    if (lf < 0) return undefined;
    if (lf === start || (lf === start + 1 && bytes[start] === 0x0d))
      return { at: Math.max(0, start - 1), next: lf + 1 };
    if (lf > MAX_HEAD) return { at: lf, next: lf + 1 };
    start = lf + 1;
  }
}

/** Why an output that has ended has no head, in words. */
export function describeHeadless(bytes: Buffer): string {
  if (bytes.length === 0)
    return 'it ended without printing anything: an answer begins with “Content-Type: text/html” and an empty line';
  const lines = bytes.toString('latin1', 0, MAX_HEAD).split(/\r?\n/);
  try {
    for (const line of lines) if (line !== '') readLine(line);
  } catch (error) {
    if (error instanceof BackendFailure && error.detail !== undefined) return error.detail;
  }
  return 'it ended within its head: an empty line has to stand between the head and the content';
}

function readLine(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':');
  const name = line.slice(0, Math.max(0, colon));
  const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, '');
  if (line.startsWith(BOM)) throw nonsense('it begins with a byte order mark: save the script as UTF-8 without one');
  if (colon < 1 || !isWritableField(name, value))
    throw nonsense(
      `a line of its head is no field, like “Content-Type: text/html”: ${JSON.stringify(line.slice(0, 80))}. An empty line ends the head`,
    );
  return [name, value];
}

function readHead(lines: readonly (readonly [name: string, value: string])[]): CgiHead {
  if (lines.length === 0) throw nonsense('its head is empty: a Content-Type, a Location or a Status is needed');
  const statuses: string[] = [];
  const locations: string[] = [];
  const lengths: string[] = [];
  let types = 0;
  const fields: (readonly [name: string, value: string])[] = [];
  for (const line of lines) {
    const name = line[0].toLowerCase();
    if (name === 'status') statuses.push(line[1]);
    else if (name === 'location') locations.push(line[1]);
    else if (name === 'content-length') lengths.push(line[1]);
    else if (name === 'content-type') types++;
    if (!NOT_ITS_OWN.has(name)) fields.push(line);
  }
  if (statuses.length > 1 || locations.length > 1 || types > 1)
    throw nonsense('its head says something twice that can be said once');
  const [location] = locations;
  const { status, reason } = readStatus(statuses[0], location);
  // A script that says no more than where to look means a path of this site (RFC 3875 §6.2.2); PHP always says a
  // status.
  const local =
    location !== undefined &&
    statuses.length === 0 &&
    /^\/(?!\/)[!-"$-~]*$/.test(location) &&
    fields.every(([name]) => /^(?:location|content-type|x-powered-by)$/i.test(name))
      ? location
      : undefined;
  return { status, reason, fields, contentLength: readLength(lengths), local };
}

function readStatus(
  written: string | undefined,
  location: string | undefined,
): { status: number; reason: string | undefined } {
  if (written === undefined) return { status: location === undefined ? 200 : 302, reason: undefined };
  const match = /^([2-5]\d\d)(?:[ \t]+(.*))?$/.exec(written);
  if (match === null) throw nonsense(`its Status is none: ${JSON.stringify(written.slice(0, 80))}`);
  return { status: Number(match[1]), reason: match[2] === '' ? undefined : match[2] };
}

/** Where lengths differ, nobody knows what is content and what is not. */
function readLength(written: readonly string[]): number | undefined {
  const [first] = written;
  if (first === undefined) return undefined;
  if (!/^\d{1,15}$/.test(first) || written.some((other) => other !== first))
    throw nonsense('its Content-Length is not one number');
  return Number(first);
}

function nonsense(detail: string): BackendFailure {
  return new BackendFailure(502, 'The script gave an answer that is none.', detail);
}
