/**
 * Files that were compressed beforehand and lie beside what they stand for (RFC 9110 §12.5.3, §8.4).
 */
import { close } from 'node:fs';
import type { RepresentationSource, SeenFile } from './fileSource.js';
import type { OpenFile, Resolver } from './resolver.js';

export interface Coding {
  /** As Content-Encoding names it. */
  readonly name: string;
  /** Of the compressed file's name. */
  readonly suffix: string;
}

/** Best first: what the same content usually is shortest in. */
const CODINGS: readonly Coding[] = [
  { name: 'br', suffix: '.br' },
  { name: 'gzip', suffix: '.gz' },
];

/** The codings that a client can read, best first. @param acceptEncoding value of the field, if there is one */
export function acceptedCodings(acceptEncoding: string | undefined): readonly Coding[] {
  if (acceptEncoding === undefined) return [];
  const members = acceptEncoding
    .toLowerCase()
    .split(',')
    .map((member) => member.split(';').map((part) => part.trim()));
  return CODINGS.filter(({ name }) => accepts(members, name));
}

/**
 * Chooses the compressed twin of a file, where the client can read one that is not older than the file: a preview shows
 * nothing stale. When there is one, `file` is closed.
 * @param codings those the client can read, best first
 * @param varies the field that every variant carries
 */
export async function compressedTwin(
  file: OpenFile,
  codings: readonly Coding[],
  resolver: Pick<Resolver, 'openBeside'>,
  varies: readonly [string, string],
): Promise<RepresentationSource> {
  const absent: string[] = [];
  const files: SeenFile[] = [];
  for (const { name, suffix } of codings) {
    const twin = await resolver.openBeside(file, suffix);
    if (twin === undefined) {
      absent.push(file.lookupPath + suffix);
      continue;
    }
    files.push(twin);
    if (twin.stamp.mtimeNs < file.stamp.mtimeNs) {
      close(twin.fd, () => undefined);
      continue;
    }
    close(file.fd, () => undefined);
    return {
      // Its name and its place are those of the file it stands for.
      file: { ...twin, name: file.name, sitePath: file.sitePath },
      fields: [varies, ['Content-Encoding', name]],
      isEncoded: true,
      dependsOn: { files, absent },
    };
  }
  return { file, fields: [varies], isEncoded: false, dependsOn: { files, absent } };
}

/** Named with a weight that is not zero; or everything is, and it is not named. */
function accepts(members: readonly (readonly string[])[], coding: string): boolean {
  let any = false;
  for (const [name = '', ...parameters] of members) {
    const weight = parameters.find((parameter) => parameter.startsWith('q='));
    const wanted = weight === undefined || Number(weight.slice(2)) > 0;
    if (name === coding || (name === 'x-gzip' && coding === 'gzip')) return wanted;
    if (name === '*') any = wanted;
  }
  return any;
}
