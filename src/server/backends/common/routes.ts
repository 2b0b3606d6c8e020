/**
 * The path of a request → the backend that answers it. By its decoded names, so that no other spelling of a path leads
 * past the backend to the source of a script. Pure.
 */
import { globMatcher } from '../../util/glob.js';
import type { BackendRule, Match, Route } from '../../options/backendRules.js';

export interface Routes {
  /**
   * @param path as sent: percent-encoded, without query
   * @returns undefined: no backend, or a path that leads nowhere at all
   */
  find(path: string): Route | undefined;
  /** The backend for a file of the site, if it is a script. @param sitePath decoded, without leading slash */
  forFile(sitePath: string): Route | undefined;
  /**
   * Whether a backend runs a file of the site, so that it is not sent.
   * @param sitePath decoded, without leading slash @param by only this one
   */
  runs(sitePath: string, by?: BackendRule): boolean;
  /** Whether any backend runs files of the site. */
  readonly hasScripts: boolean;
}

type Fits = (segments: readonly string[]) => number | undefined;

/** @param rules in order: the first that fits */
export function createRoutes(rules: readonly BackendRule[]): Routes {
  const tests = rules.map((rule): { rule: BackendRule; fits: Fits; fitsWholly: Fits } => ({
    rule,
    fits: testFor(rule, rule.type === 'proxy'),
    fitsWholly: testFor(rule, true),
  }));
  const routeFor = (segments: readonly string[], folder: boolean, test: 'fits' | 'fitsWholly'): Route | undefined => {
    for (const { rule, [test]: fits } of tests) {
      const prefix = fits(segments);
      if (prefix !== undefined) return { rule, segments, folder, prefix };
    }
    return undefined;
  };
  const forFile = (sitePath: string): Route | undefined => routeFor(sitePath.split('/'), false, 'fitsWholly');
  return {
    hasScripts: rules.some(({ type }) => type !== 'proxy'),
    find(path) {
      const segments = rules.length === 0 ? undefined : namesOf(path);
      return segments && routeFor(segments, path.endsWith('/'), 'fits');
    },
    forFile,
    runs(sitePath, by) {
      const rule = forFile(sitePath)?.rule;
      return rule !== undefined && rule.type !== 'proxy' && (by === undefined || rule === by);
    },
  };
}

function testFor({ match }: BackendRule, wholly: boolean): Fits {
  return match.kind === 'prefix' ? prefixTest(match) : globTest(match, wholly);
}

function prefixTest({ segments: wanted }: Match & { kind: 'prefix' }): Fits {
  return (segments) => (wanted.every((name, index) => segments[index] === name) ? wanted.length : undefined);
}

/** What follows the name of a script is for the script: a glob has to fit up to some name. */
function globTest({ glob }: Match & { kind: 'glob' }, wholly: boolean): Fits {
  const fits = globMatcher([glob]);
  if (wholly) return (segments) => (fits(segments.join('/')) ? 0 : undefined);
  return (segments) => (segments.some((_, index) => fits(segments.slice(0, index + 1).join('/'))) ? 0 : undefined);
}

/**
 * The decoded names of a path. Unlike those of files they may be hidden or have a slash in them: another server may
 * know them.
 * @returns undefined for what is malformed or would climb, in any spelling: it is answered as for files
 */
function namesOf(path: string): string[] | undefined {
  const names: string[] = [];
  for (const part of path.slice(1).split('/')) {
    if (part === '') continue;
    const name = part.includes('%') ? decoded(part) : part;
    if (
      name === undefined ||
      // eslint-disable-next-line no-control-regex -- control characters are what is looked for
      /[\u0000-\u001f\u007f-\u009f\\]/.test(name) ||
      name.split('/').some((step) => step === '..' || step === '.')
    )
      return undefined;
    names.push(name);
  }
  return names;
}

function decoded(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
