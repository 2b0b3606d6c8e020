/**
 * Why the system did not start a script, in words: mostly, its first line names a program that is not there.
 */
import { open } from 'node:fs/promises';

/** First lines are not longer: Linux reads no more of them. Bytes. */
const MAX_FIRST_LINE_LENGTH = 256;

/** @param error what starting it failed with @returns what to look at, and what to do */
export async function whyNotStarted(script: string, error: NodeJS.ErrnoException): Promise<string> {
  const program = await programOf(script).catch(() => undefined);
  if (error.code === 'EACCES')
    return program === undefined
      ? 'it may not be executed'
      : `is ${program.trimEnd()}, which its first line (#!) names, a program that may be run?`;
  if (error.code !== 'ENOENT' || program === undefined) return 'does its first line (#!) name a program that is there?';
  if (program.endsWith('\r'))
    return 'its first line ends with CR LF, as on Windows, and the CR counts as part of the name: save it with LF';
  return `its first line (#!) names ${program}, and there is no such program`;
}

/** What stands behind `#!`, up to the first space. */
async function programOf(script: string): Promise<string | undefined> {
  const file = await open(script);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_FIRST_LINE_LENGTH), 0, MAX_FIRST_LINE_LENGTH, 0);
    return /^#![ \t]*([^ \t\n]+)/.exec(buffer.toString('utf8', 0, bytesRead))?.[1];
  } finally {
    await file.close();
  }
}
