/**
 * Rules for backends, as short as tests want them.
 */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type {
  Address,
  BackendRule,
  CgiRule,
  FastCgiRule,
  Match,
  PhpRule,
  ProxyRule,
} from '../../src/server/options/backendRules.js';
import { startSite, type Site, type SiteOptions } from './site.js';

/** A place of its own for temporary files, for tests that look at what is left there. Called in a `describe`. */
export function withOwnTemporaryFolder(): void {
  let folder = '';
  let usual: string | undefined;
  before(async () => {
    usual = process.env.TMPDIR;
    folder = await mkdtemp(path.join(tmpdir(), 'lite-tests-'));
    process.env.TMPDIR = folder;
  });
  after(async () => {
    if (usual === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = usual;
    await rm(folder, { recursive: true, force: true });
  });
}

/** `/a/` or a glob. */
export function matching(text: string): Match {
  return text.startsWith('/')
    ? { kind: 'prefix', segments: text.split('/').filter((name) => name !== '') }
    : { kind: 'glob', glob: text };
}

export function cgi(match = '/cgi-bin/', more: Partial<CgiRule> = {}): CgiRule {
  return { type: 'cgi', match: matching(match), label: `cgi ${match}`, timeout: 10_000, maxProcesses: 8, ...more };
}

export function php(match = '**/*.php', more: Partial<PhpRule> = {}): PhpRule {
  return {
    type: 'php',
    match: matching(match),
    label: `php ${match}`,
    timeout: 10_000,
    program: undefined,
    processes: 2,
    ...more,
  };
}

export function fastcgi(address: Address, more: Partial<FastCgiRule> = {}): FastCgiRule {
  return {
    type: 'fastcgi',
    match: matching('**/*.php'),
    label: 'fastcgi **/*.php',
    timeout: 10_000,
    address,
    maxConnections: 4,
    ...more,
  };
}

export function proxy(target: string, match = '/api/', more: Partial<ProxyRule> = {}): ProxyRule {
  return {
    type: 'proxy',
    match: matching(match),
    label: `proxy ${match}`,
    timeout: 10_000,
    target: new URL(target),
    stripPrefix: false,
    keepHost: false,
    verify: true,
    ...more,
  };
}

/** A site with backends; files that begin with `#!` are executable. */
export async function startBackends(
  backends: readonly BackendRule[],
  files: Readonly<Record<string, string>> = {},
  more: Omit<SiteOptions, 'files'> = {},
): Promise<Site> {
  const site = await startSite({
    ...more,
    files: Object.fromEntries(Object.entries(files).map(([name, text]) => [`www/html/${name}`, text])),
    options: { ...(more.options as object | undefined), backends },
  });
  for (const [name, text] of Object.entries(files))
    if (text.startsWith('#!')) await chmod(path.join(site.root, name), 0o755);
  return site;
}

/** A shell script that answers plain text. */
export function shell(commands: string): string {
  return `#!/bin/sh\n${commands}\n`;
}

export function textShell(commands: string): string {
  return shell(`printf 'Content-Type: text/plain\\n\\n'\n${commands}`);
}
