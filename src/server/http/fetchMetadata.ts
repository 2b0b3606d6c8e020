/**
 * What a browser says about why it asks (Fetch Metadata Request Headers).
 */
import type { Fields } from './fields.js';

/** A document is another one when something is put into it. */
export const VARIES_BY_PURPOSE: readonly [string, string] = ['Vary', 'Sec-Fetch-Dest, Accept'];

/** Whether a browser asks in order to show the answer as a document: it says so; older ones only ask for HTML. */
export function isNavigation(fields: Fields): boolean {
  const dest = fields.get('sec-fetch-dest');
  if (dest !== undefined) return dest === 'document' || dest === 'iframe' || dest === 'frame';
  return fields.get('accept')?.includes('text/html') === true;
}
