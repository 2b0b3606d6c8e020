/**
 * Files that were compressed beforehand and lie beside what they stand for (RFC 9110 §12.5.3, §8.4).
 */
import { close } from 'node:fs';
import type { Fields } from '../http/fields.js';
import type { OpenFile, Resolver } from './resolver.js';

/** Best first: what the same content usually is shortest in. */
const CODINGS = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
] as const;

export interface Twin {
  readonly file: OpenFile;
  readonly coding: string;
}

/** Whether the client can read any of them. */
export function readsCompressed(fields: Fields): boolean {
  return fields.get('accept-encoding') !== undefined && CODINGS.some(({ name }) => accepts(fields, name));
}

/**
 * The compressed twin of a file, where the client can read it and it is not older than the file: a preview shows
 * nothing stale. When there is one, `file` is closed.
 */
export async function compressedTwin(file: OpenFile, fields: Fields, resolver: Resolver): Promise<Twin | undefined> {
  for (const { name, suffix } of CODINGS) {
    if (!accepts(fields, name)) continue;
    const twin = await resolver.openBeside(file, suffix);
    if (twin === undefined) continue;
    if (twin.stamp.mtimeNs < file.stamp.mtimeNs) {
      close(twin.fd, () => undefined);
      continue;
    }
    close(file.fd, () => undefined);
    // Its name and its place are those of the file it stands for.
    return { coding: name, file: { ...twin, name: file.name, sitePath: file.sitePath } };
  }
  return undefined;
}

/** Named with a weight that is not zero; or everything is, and it is not named. */
function accepts(fields: Fields, coding: string): boolean {
  let any = false;
  for (const member of fields.tokens('accept-encoding')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const wanted = weight === undefined || Number(weight.slice(2)) > 0;
    if (name === coding || (name === 'x-gzip' && coding === 'gzip')) return wanted;
    if (name === '*') any = wanted;
  }
  return any;
}
