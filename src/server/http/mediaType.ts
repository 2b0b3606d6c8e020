/**
 * Media types (RFC 9110 §8.3.1).
 */

/** What browsers navigate to and run scripts in. */
export const DOCUMENT_TYPES = new Set(['text/html', 'application/xhtml+xml', 'image/svg+xml']);

/** Whether a content of this type is something that browsers navigate to and run scripts in. */
export function isDocument(type: string): boolean {
  return DOCUMENT_TYPES.has(mediaType(type));
}

/** A content type without its parameters, in lower case. */
export function mediaType(type: string): string {
  return (type.split(';')[0] as string).trim().toLowerCase();
}
