/**
 * The backends of a server: one for each rule, made when it is first needed, since its code is loaded then. They outlive
 * the handlers that ask them.
 */
import type { BackendRule, ProxyRule, ScriptRule } from '../options/backendRules.js';
import type { ExternalMemory } from '../body/externalMemory.js';
import { SpareBuffers } from '../body/spareBuffers.js';
import type { LoopTurn } from '../util/loopTurn.js';
import type { Backend, BackendTools, ScriptBackend } from './common/backend.js';
import { createSocketOpener } from './common/backendSocket.js';

export interface BackendPoolTools {
  readonly log: (line: string) => void;
  /** Asked before a program is started. */
  readonly mayRun: () => boolean;
  readonly turn: LoopTurn;
  readonly memory: ExternalMemory;
}

/** Names us to scripts (RFC 3875 §4.1.17). */
const SOFTWARE = `LiteServer/${typeof VERSION === 'string' ? VERSION : '0'}`;

/** Set by the build from package.json. */
declare const VERSION: string;

export class BackendPool {
  private readonly making = new Map<BackendRule, Promise<{ close(): Promise<void> }>>();
  private readonly made = new Map<BackendRule, { close(): Promise<void> }>();

  private readonly lent: BackendTools;

  constructor({ log, mayRun, turn, memory }: BackendPoolTools) {
    this.lent = {
      log,
      software: SOFTWARE,
      mayRun,
      resources: { turn, memory, spare: new SpareBuffers(), openSocket: createSocketOpener() },
    };
  }

  withScripts<T>(rule: ScriptRule, use: (backend: ScriptBackend) => Promise<T>): Promise<T> {
    const made = this.made.get(rule) as ScriptBackend | undefined;
    return made === undefined ? this.once(rule, () => this.makeForScripts(rule)).then(use) : use(made);
  }

  withProxy<T>(rule: ProxyRule, use: (backend: Backend) => Promise<T>): Promise<T> {
    const made = this.made.get(rule) as Backend | undefined;
    return made === undefined
      ? this.once(rule, async () => (await import('./proxy/proxy.js')).createProxy(rule, this.lent.resources)).then(use)
      : use(made);
  }

  async close(): Promise<void> {
    await Promise.all([...this.making.values()].map(async (backend) => (await backend).close()));
  }

  private async makeForScripts(rule: ScriptRule): Promise<ScriptBackend> {
    switch (rule.type) {
      case 'cgi':
        return (await import('./cgi/cgi.js')).createCgi(rule, this.lent);
      case 'fastcgi':
        return (await import('./fastcgi/fastcgi.js')).createFastCgi(rule, this.lent);
      case 'php':
        return (await import('./php/php.js')).createPhp(rule, this.lent);
    }
  }

  private once<B extends { close(): Promise<void> }>(rule: BackendRule, make: () => Promise<B>): Promise<B> {
    const made =
      (this.making.get(rule) as Promise<B> | undefined) ??
      make().then((backend) => {
        this.made.set(rule, backend);
        return backend;
      });
    this.making.set(rule, made);
    return made;
  }
}
