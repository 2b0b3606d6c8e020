/**
 * Tickets for frames of the preview panel, which is a page of another site: each lets one frame in, once, and soon.
 */
import { randomBytes } from 'node:crypto';
import { BoundedMap } from '../shared/boundedMap.js';
import type { Resource } from '../server/options/hooks.js';

const LIFETIME = 60_000;
const MAX_OPEN = 100;

export class PreviewTokens {
  private readonly open = new BoundedMap<string, number>(MAX_OPEN);

  issue(): string {
    const token = randomBytes(16).toString('base64url');
    this.open.set(token, Date.now() + LIFETIME);
    return token;
  }

  isValid(token: string | null): boolean {
    const until = token === null ? undefined : this.open.get(token);
    return until !== undefined && Date.now() < until;
  }

  /** Valid for the last time. */
  redeem(token: string | null): boolean {
    const valid = this.isValid(token);
    if (token !== null) this.open.delete(token);
    return valid;
  }
}

/**
 * The page that a frame enters through: it goes on at once, and what it goes to is then asked for by a page of our own.
 */
export function entryPage(to: string): Resource {
  const nonce = randomBytes(16).toString('base64');
  // Relative to the page, so that it holds below a tunnel's path as well; a path of the site, never another place.
  const target = JSON.stringify(`..${to.startsWith('/') ? to : `/${to}`}`).replace(/</g, '\\u003c');
  return {
    type: 'text/html; charset=utf-8',
    text: `<!doctype html><meta charset="utf-8"><title>Lite Server</title><script nonce="${nonce}">location.replace(${target})</script>`,
    fields: [
      [
        'Content-Security-Policy',
        `default-src 'none'; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`,
      ],
      ['Referrer-Policy', 'no-referrer'],
    ],
  };
}
