/**
 * Media types (RFC 9110 §8.3.1).
 */
import { matchWhole, TOKEN_CHARS } from './grammar.js';

/** Type and subtype have at most 127 characters each (RFC 6838 §4.2). */
const MEDIA_TYPE = matchWhole(`[${TOKEN_CHARS}]{1,127}/[${TOKEN_CHARS}]{1,127}`);
const REGISTERED_NAME = '[0-9A-Za-z][0-9A-Za-z!#$&^_.+-]{0,126}';
const REGISTRABLE_TYPE = matchWhole(`${REGISTERED_NAME}/${REGISTERED_NAME}`);

/** Whether text is a media type without parameters. */
export function isMediaType(text: string): boolean {
  return MEDIA_TYPE.test(text);
}

/** Whether text is a media type that can be registered: its names are narrower than tokens (RFC 6838 §4.2). */
export function isRegistrableType(text: string): boolean {
  return REGISTRABLE_TYPE.test(text);
}

/** What browsers navigate to and run scripts in. */
export const DOCUMENT_TYPES: ReadonlySet<string> = new Set(['text/html', 'application/xhtml+xml', 'image/svg+xml']);

/** Whether a content of this type is something that browsers navigate to and run scripts in. */
export function isDocument(type: string): boolean {
  return DOCUMENT_TYPES.has(mediaType(type));
}

/** A content type without its parameters, in lower case. */
export function mediaType(type: string): string {
  return (type.split(';')[0] as string).trim().toLowerCase();
}
