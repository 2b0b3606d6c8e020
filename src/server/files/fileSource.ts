/**
 * The file that a representation is made from, and the other places on disk that this choice depends on.
 */
import type { OpenFile } from './resolver.js';

/** A file as it was when it was looked at. */
export type SeenFile = Pick<OpenFile, 'lookupPath' | 'realPath' | 'stamp'>;

export interface RepresentationSource {
  readonly file: OpenFile;
  /** Fields that describe the choice: Content-Encoding, Vary. */
  readonly fields: readonly (readonly [name: string, value: string])[];
  /** The file's bytes are a content coding of the file that was asked for (RFC 9110 §8.4.1). */
  readonly isEncoded: boolean;
  /** The choice holds while these files are as they were, and these paths (absolute) lead nowhere. */
  readonly dependsOn: { readonly files: readonly SeenFile[]; readonly absent: readonly string[] };
}
