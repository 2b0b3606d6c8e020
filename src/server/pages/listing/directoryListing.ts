/**
 * Directory listings: the page for a folder that has none of its own. Requests for the same folder share what is read
 * of it, and large folders wait for each other, so that any number of requests for them costs bounded memory and time.
 */
import { stat } from 'node:fs/promises';
import { LISTING_LIMITS, readFolder, readPage, type FolderNames, type ListingLimits } from './listingEntries.js';
import { renderListing } from './listingPage.js';
import { parseView } from './listingQuery.js';
import { isSettled, stampText } from '../../files/fingerprint.js';
import type { OpenFolder } from '../../files/resolver.js';
import { readFailure } from '../../files/openVerified.js';
import { Semaphore } from '../../util/semaphore.js';

/** What is in a folder. */
export interface Listing {
  readonly kind: 'listing';
  /**
   * The document; to be sent with the policy of generated pages, which lets nothing else in.
   * @param nonce for the one style element, and the script if there is one
   * @param script URL of a script that keeps the page up to date
   */
  html(nonce: string, script: string | undefined): string;
}

/** The folder that was asked for cannot be listed. `why` is for people. */
export interface NoListing {
  readonly kind: 'refused';
  readonly status: 403 | 404 | 503;
  readonly why: string;
}

export interface Listings {
  /**
   * @param query of the target, without `?`; what is not understood in it is left out of account
   * @throws for trouble that is not the folder's: no descriptors left, a broken disk
   */
  list(folder: OpenFolder, query: string | undefined): Promise<Listing | NoListing>;
}

const GONE: NoListing = { kind: 'refused', status: 404, why: 'There is no such folder.' };
const UNREADABLE: NoListing = { kind: 'refused', status: 403, why: 'The folder may not be read.' };

const CROWDED: NoListing = { kind: 'refused', status: 503, why: 'Too many large folders are being read.' };

/**
 * How long, in milliseconds, what was read of a large folder is kept: somebody turns the pages, or has it open in
 * several tabs. And of how many folders.
 */
const KEPT_FOR = 1_000;
const MAX_KEPT = 2;
/**
 * Lists folders for one server.
 * @param read reads the names; tests count them
 */
export function createListings(limits: ListingLimits = LISTING_LIMITS, read = readFolder): Listings {
  const readings = new Readings(limits, read);
  return {
    async list(folder, query) {
      try {
        const names = await readings.namesOf(folder);
        if (names === 'crowded') return CROWDED;
        const page = names === 'gone' ? names : await readPage(folder, parseView(query), limits, names);
        return typeof page === 'string'
          ? GONE
          : { kind: 'listing', html: (nonce, script) => renderListing(page, { nonce, script }) };
      } catch (error) {
        const failure = readFailure(error);
        if (failure === 'missing') return GONE;
        if (failure !== 'unreadable') throw error;
        return UNREADABLE;
      }
    },
  };
}

type ReadNames = FolderNames | 'gone' | 'crowded';

/**
 * Readings of folders that are under way, and a few that were: whoever asks for the same folder in the same state has
 * the same one.
 */
class Readings {
  readonly #turns: Semaphore;
  readonly #shared = new Map<string, { readonly stamp: string; readonly names: Promise<ReadNames> }>();
  readonly #kept: string[] = [];

  constructor(
    private readonly limits: ListingLimits,
    private readonly read: typeof readFolder,
  ) {
    this.#turns = new Semaphore(limits.atOnce, limits.waiting);
  }

  /** @throws what the file system says */
  async namesOf(folder: OpenFolder): Promise<ReadNames> {
    const stats = await stat(folder.realPath, { bigint: true });
    const stamp = stampText(stats);
    // The root decides where links may lead, the top of a site what is hidden.
    const key = JSON.stringify([folder.realRoot, folder.realPath, folder.segments.length === 0]);
    const before = this.#shared.get(key);
    if (before?.stamp === stamp) return before.names;
    const settled = isSettled(stats.mtimeNs, Date.now());
    const shared = { stamp, names: this.#namesOf(folder) };
    this.#shared.set(key, shared);
    const forget = (): void => {
      if (this.#shared.get(key) === shared) this.#shared.delete(key);
    };
    void shared.names.then((names) => {
      if (typeof names === 'string' || names.total <= this.limits.large || !settled) forget();
      else this.#keep(key, forget);
    }, forget);
    return shared.names;
  }

  async #namesOf(folder: OpenFolder): Promise<ReadNames> {
    const first = await this.read(folder, this.limits, this.limits.large);
    if (first !== 'large') return first;
    if (this.#turns.isFull) return 'crowded';
    const all = await this.#turns.run(() => this.read(folder, this.limits, this.limits.read));
    return all === 'large' ? 'gone' : all;
  }

  #keep(key: string, forget: () => void): void {
    setTimeout(forget, KEPT_FOR).unref();
    this.#kept.push(key);
    const oldest = this.#kept.length > MAX_KEPT ? this.#kept.shift() : undefined;
    if (oldest !== undefined && !this.#kept.includes(oldest)) this.#shared.delete(oldest);
  }
}
