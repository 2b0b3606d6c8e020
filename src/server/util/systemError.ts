/**
 * What a system's refusal means, in words: the end of a sentence whose subject is a file, like "it is a folder". The
 * system's own messages would name the whole path.
 */

/** Told apart from all codes of the system: it is there, and it is a device, a pipe or a socket. */
export const NOT_A_FILE = 'not a file';

const REASONS: Readonly<Record<string, string>> = {
  ENOTDIR: 'a part of its path is not a folder',
  EEXIST: 'a part of its path is not a folder',
  EISDIR: 'it is a folder',
  ELOOP: 'it is a link that leads to itself',
  ENOSPC: 'no space is left on the disk',
  EDQUOT: 'no space is left for this user',
  EFBIG: 'the file is as large as it may be',
  EROFS: 'the disk is read-only',
  [NOT_A_FILE]: 'it is not a regular file',
};

/** What depends on what was wanted: a file that is missing can be written, unless its folder is missing, too. */
const READING: Readonly<Record<string, string>> = {
  ...REASONS,
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EPERM: 'it may not be read',
};
const WRITING: Readonly<Record<string, string>> = {
  ...REASONS,
  EACCES: 'this program may not write it',
  EPERM: 'this program may not write it',
};

/** The system's code of an error, like `ENOENT`; undefined for an error of another kind. */
export function errorCode(error: unknown): string | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return typeof code === 'string' ? code : undefined;
}

/**
 * Why a file cannot be read or written.
 * @returns the end of a sentence, without a full stop; undefined for a code that has no words here
 */
export function describeSystemError(error: unknown, wanted: 'read' | 'write'): string | undefined {
  const code = errorCode(error);
  const words = wanted === 'read' ? READING : WRITING;
  return code !== undefined && Object.hasOwn(words, code) ? words[code] : undefined;
}
