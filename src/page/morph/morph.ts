/**
 * A changed document comes into the page without a reload. Three trees: the source the page was made of, the source as
 * it is now, and the page, which scripts and the user have changed. The difference of the first two is done to the
 * third.
 */
import { fetchFresh, firstChildOf, forget, later, nextSiblingOf, parentNodeOf } from '../dom/builtins.js';
import { matchSources, type Matches } from './treeDiff.js';
import { mergeChanges } from './applyDiff.js';
import { pairTrees, type NodeOrigins } from './nodeOrigins.js';
import type { SiteUrls } from '../dom/siteUrls.js';
import { childrenWithout, takePrints } from './subtreeIds.js';
import { copyForPage, parseSource, type SourceDocument } from './sourceDocument.js';
import { isSheetLink, type Styles } from '../refresh/styles.js';

/** Milliseconds that a new style sheet may hold up the change it comes with. */
const PATIENCE = 2_000;
/** Milliseconds in which the browser says that it was the page's policy that let nothing be asked. */
const EXPLAINED = 100;

export interface MorphOptions {
  readonly place: SiteUrls;
  readonly styles: Styles;
  /** Nodes that belong to neither page nor source. */
  readonly ours: WeakSet<Node>;
  readonly reload: () => void;
  /** The page has changed, and may have new elements. */
  readonly morphed: () => void;
  /** The page is as the last update has it, as far as that can be without a save. */
  readonly settled: () => void;
}

export interface Morph {
  /** The document as it was sent. The first one counts. */
  setSource(text: string): void;
  /** @param unsaved scripts in it are not run @param text of the document, when it need not be asked for */
  update(unsaved: boolean, text?: string): void;
}

export function createMorph(options: MorphOptions): Morph {
  const { place, reload, settled } = options;
  const { setSource, attempt } = createStages(options);
  /** The policy of the page lets nothing be asked, but a reload is no question of it. */
  let forbidden = false;
  window.addEventListener(
    'securitypolicyviolation',
    ({ blockedURI, disposition }) => {
      if (disposition === 'enforce' && blockedURI === place.document) forbidden = true;
    },
    true,
  );
  /** Updates that nobody has looked at. Only the last one counts. */
  const wanted: { readonly unsaved: boolean; readonly text: string | undefined }[] = [];
  let running = false;

  const run = async (): Promise<void> => {
    if (document.readyState === 'loading')
      await new Promise((resolve) => {
        document.addEventListener('DOMContentLoaded', resolve, { once: true });
      });
    let isMissed = false;
    for (let update = wanted.pop(); update !== undefined; update = wanted.pop()) {
      wanted.length = 0;
      const { unsaved } = update;
      const text = update.text ?? (await fetchDocument(place.document));
      // Another one of another kind came meanwhile, and perhaps this is its text.
      if (wanted.length > 0 && wanted.at(-1)?.unsaved !== unsaved) continue;
      if (text === NOBODY && !forbidden)
        await new Promise((resolve) => {
          later(resolve, EXPLAINED);
        });
      // The link will come up again, and then the server tells once more what was missed.
      isMissed = text === NOBODY && !forbidden;
      if (!isMissed && !(await attempt(text === NOBODY ? undefined : text, unsaved))) {
        reload();
        return;
      }
    }
    if (!isMissed) settled();
  };
  return {
    setSource,
    update(unsaved, text) {
      wanted.push({ unsaved, text });
      if (running) return;
      running = true;
      run()
        .catch(reload)
        .finally(() => {
          running = false;
        });
    },
  };
}

interface Stages {
  readonly setSource: (text: string) => void;
  /** @param text undefined: it could not be had @returns false: only a reload helps */
  readonly attempt: (text: string | undefined, unsaved: boolean) => Promise<boolean>;
}

/** From one source of the page to the next one. */
function createStages({ styles, ours, morphed }: MorphOptions): Stages {
  const childrenOf = childrenWithout(ours);
  let firstText: string | undefined;
  let source: SourceDocument | undefined;
  /** What the page has that only a reload changes. */
  let ran = '';
  let known: NodeOrigins = new Map();
  /** A reload would show more than the page does; it waits for a save. */
  let incomplete = false;
  /** Typing took elements out: should they come back, nothing that scripts hung on them does. */
  let lost = false;
  /** Something failed with what was typed: nothing more is done before a save, which reloads. */
  let broken = false;

  /** What is typed is never worth a reload: saving it tells of it again. */
  const attempt = async (text: string | undefined, unsaved: boolean): Promise<boolean> => {
    if (!unsaved) return text !== undefined && !broken && (await apply(text, unsaved));
    if (text === undefined || broken || (source ?? firstText) === undefined) return true;
    try {
      broken = !(await apply(text, unsaved));
    } catch {
      broken = true;
    }
    return true;
  };
  /** @returns false: only a reload helps */
  const apply = async (text: string, unsaved: boolean): Promise<boolean> => {
    if (source === undefined) {
      if (firstText === undefined) return false;
      source = parseSource(firstText);
      ran = source.fixed;
    }
    const next = parseSource(text);
    if (!unsaved && (incomplete || next.fixed !== ran)) return false;
    if (text === source.text) return true;
    const roots = [document.documentElement, source.document.documentElement, next.document.documentElement] as const;
    const prints = takePrints(childrenOf, ...roots);
    const places = pairTrees(roots[0], roots[1], prints, childrenOf, known);
    // The old source does not outlive this.
    const matches = matchSources(source, next, prints, childrenOf);
    if (!matches) return false;
    const arrived = await bringSheets(next.document, matches, places, ours);
    const merged = mergeChanges({ matches, places, prints, styles }, roots[2]);
    arrived();
    known = merged.places;
    source = next;
    morphed();
    if (!merged.complete || (lost && merged.built)) incomplete = true;
    lost = unsaved && (lost || (merged.removed && /<script/i.test(ran)));
    return unsaved || !incomplete;
  };
  return {
    attempt,
    setSource(text) {
      firstText ??= text;
    },
  };
}

/** The server has gone, or went while it answered. */
const NOBODY = Symbol('nobody');

/** The text of the document as it is now; undefined when that cannot be had. */
async function fetchDocument(url: string): Promise<string | typeof NOBODY | undefined> {
  const answer = await fetchFresh(url, {
    cache: 'no-store',
    credentials: 'same-origin',
    headers: { Accept: 'text/html' },
  }).catch(() => NOBODY);
  if (typeof answer === 'symbol') return NOBODY;
  const type = answer.headers.get('Content-Type') ?? '';
  if (answer.status !== 200 || !/^text\/html\b/i.test(type)) return undefined;
  const charset = /charset="?([^\s";]+)/i.exec(type)?.[1] ?? document.characterSet;
  const bytes = await answer.arrayBuffer().catch(() => undefined);
  return bytes ? new TextDecoder(charset).decode(bytes) : NOBODY;
}

/**
 * New style sheets are loaded before anything that needs them is shown. They wait in their place, for a medium that
 * there is not; moving them there later would make them load again.
 * @returns puts them in force
 */
async function bringSheets(
  next: Document,
  matches: Matches,
  places: NodeOrigins,
  ours: WeakSet<Node>,
): Promise<() => void> {
  const arriving: { link: HTMLLinkElement; media: string | null }[] = [];
  for (const wanted of next.querySelectorAll('link[href]')) {
    const parent = wanted.parentNode && places.get(matches.get(wanted.parentNode) ?? wanted);
    const link = copyForPage(wanted, false);
    if (matches.has(wanted) || !parent || !isSheetLink(link) || link.disabled) continue;
    arriving.push({ link, media: link.getAttribute('media') });
    link.media = 'not all';
    ours.add(link);
    // As if it had been there in the old source.
    matches.set(wanted, wanted);
    places.set(wanted, link);
    parent.insertBefore(link, findPlaceBehind(wanted, parent, matches, places));
  }
  await Promise.all(arriving.map(({ link }) => untilLoaded(link)));
  return () => {
    for (const { link, media } of arriving) {
      ours.delete(link);
      if (media === null) link.removeAttribute('media');
      else link.media = media;
    }
  };
}

function findPlaceBehind(wanted: Node, parent: Node, matches: Matches, places: NodeOrigins): Node | null {
  for (let sibling = wanted.previousSibling; sibling; sibling = sibling.previousSibling) {
    const live = places.get(matches.get(sibling) ?? sibling);
    if (live && parentNodeOf(live) === parent) return nextSiblingOf(live);
  }
  return firstChildOf(parent);
}

function untilLoaded(link: HTMLLinkElement): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      forget(timer);
      resolve();
    };
    const timer = later(done, PATIENCE);
    link.addEventListener('load', done, { once: true });
    link.addEventListener('error', done, { once: true });
  });
}
