/**
 * The path of a request-target → names of folders and a file. Decoded exactly once; what is not plain is rejected,
 * never repaired.
 */

/** Segments of a path: what lies between its slashes, decoded. */
export interface DecodedPath {
  /** Names from the root down; empty for the root itself. */
  readonly segments: readonly string[];
  /** The path ended in `/`, so it names a folder. */
  readonly folder: boolean;
  /** The path had empty segments (`//`), so its plain spelling is another. */
  readonly repeatedSlashes: boolean;
}

/**
 * 400: no path at all. 404: a path under which nothing can ever be found. 501: a script, which is not sent as source.
 */
export type PathRefusal = 400 | 404 | 501;

// Names Windows gives to devices, with any extension (and with superscript digits).
const WINDOWS_DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3]) *(?:\.|$)/i;
// Alternate streams and drives, 8.3 aliases, trailing dots and spaces, and characters that cannot be in a name.
const WINDOWS_ALIAS = /[:<>"|?*]|~\d|[. ]$/;
/** Private keys and key stores: in a folder that is served by mistake rather than on purpose. */
const SECRET_FILE = /\.(?:pem|key|p12|pfx|jks|keystore|kdbx)$/i;
/** Source that a server runs and never shows, and the copies editors make of it. */
const SCRIPT = /\.(?:php\d?|phtml|phar|phps)$/;
const DISGUISED_SCRIPT = /\.(?:php\d?|phtml|phar|phps)(?:[~.:#% ]|\.?(?:bak|old|orig|save|sw[a-p]|tmp|dist|copy)\b|$)/i;

const DECODER = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Splits and decodes the path of an origin-form target (RFC 3986 §2.1, §3.3).
 * @param path starts with `/`, visible ASCII without `#` and `?`
 */
export function decodePath(path: string, platform: NodeJS.Platform = process.platform): DecodedPath | PathRefusal {
  const encoded = path.slice(1).split('/');
  const folder = encoded.at(-1) === '';
  if (folder) encoded.pop();
  const segments: string[] = [];
  let repeatedSlashes = false;
  let worst: PathRefusal | undefined;
  for (const part of encoded) {
    if (part === '') {
      repeatedSlashes = true;
      continue;
    }
    const name = part.includes('%') ? decodeSegment(part) : part;
    if (name === undefined || hasControlOrBackslash(name)) return 400;
    segments.push(name);
    if (isNeverFound(name, segments.length === 1, platform)) worst = 404;
  }
  if (worst !== undefined) return worst;
  return { segments, folder, repeatedSlashes };
}

/** What a name, as it was asked for or as it is on disk, forbids. */
export function refuseName(name: string): PathRefusal | undefined {
  if (SCRIPT.test(name)) return 501;
  return SECRET_FILE.test(name) || DISGUISED_SCRIPT.test(name) ? 404 : undefined;
}

/**
 * What the two names of a file forbid: neither a copy that an editor left behind nor a key is sent or run, whatever a
 * link calls it.
 * @param asked the name it is asked for by @param onDisk its name behind all links
 * @param isRun whether a backend runs it, so that its source is not sent
 */
export function refuseFile(asked: string, onDisk: string, isRun: boolean): PathRefusal | undefined {
  const refusals = [refuseName(asked), refuseName(onDisk)];
  if (refusals.includes(404)) return 404;
  if (isRun || !refusals.includes(501)) return undefined;
  return asked === onDisk ? 501 : 404;
}

/** Hidden by convention: a leading dot. `/.well-known/` is there to be found (RFC 8615). */
export function isHidden(name: string, isFirst: boolean): boolean {
  return name.startsWith('.') && !(isFirst && name === '.well-known');
}

/** A path made of decoded names, encoded again, with a leading slash and no other spelling than the plain one. */
export function encodePath(segments: readonly string[], folder: boolean): string {
  const path = segments
    .map(
      (name) =>
        `/${encodeURIComponent(name).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
    )
    .join('');
  return folder || path === '' ? `${path}/` : path;
}

/**
 * The bytes behind the escapes, if they are UTF-8; undefined for a bad escape or bad UTF-8 (overlong forms included).
 */
function decodeSegment(part: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(part)) return undefined;
  const bytes = Buffer.from(
    part.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  );
  try {
    return DECODER.decode(bytes);
  } catch {
    return undefined;
  }
}

function hasControlOrBackslash(name: string): boolean {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for: C0, DEL and C1
  return /[\u0000-\u001f\u007f-\u009f\\]/.test(name);
}

/** `.` and `..` are hidden names too; an encoded slash cannot be part of a name. */
function isNeverFound(name: string, isFirst: boolean, platform: NodeJS.Platform): boolean {
  if (isHidden(name, isFirst) || name.includes('/')) return true;
  return platform === 'win32' && (WINDOWS_DEVICE.test(name) || WINDOWS_ALIAS.test(name));
}
