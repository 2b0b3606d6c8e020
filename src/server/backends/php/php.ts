/**
 * PHP, with nothing to set up: finds php-cgi, runs it, and asks it by FastCGI.
 */
import { BackendFailure, type BackendTools, type ScriptBackend } from '../common/backend.js';
import { createFastCgi } from '../fastcgi/fastcgi.js';
import { findPhp, howToInstall } from './findPhp.js';
import { PhpProcess } from './phpProcess.js';
import type { Address, PhpRule } from '../../options/backendRules.js';

export function createPhp(rule: PhpRule, tools: BackendTools): ScriptBackend {
  let found: Promise<PhpProcess> | undefined;
  let isClosed = false;
  let client: { readonly address: Address; readonly backend: ScriptBackend } | undefined;

  /** Another process listens at another place. */
  const clientFor = async (address: Address): Promise<ScriptBackend> => {
    if (client !== undefined && client.address === address) return client.backend;
    const old = client;
    client = {
      address,
      backend: createFastCgi(
        { address, timeout: rule.timeout, maxConnections: rule.processes, label: rule.label },
        tools,
      ),
    };
    const { backend } = client;
    await old?.backend.close();
    return backend;
  };
  return {
    async handle(exchange) {
      if (isClosed) throw new BackendFailure(503, 'The server is about to stop.');
      found ??= findProgram(rule).then(
        (program) => new PhpProcess({ program, processes: rule.processes, label: rule.label }, tools),
      );
      const php = await found.catch((error: unknown) => {
        found = undefined;
        throw error;
      });
      return (await clientFor(await php.address())).handle(exchange);
    },
    async close() {
      isClosed = true;
      const php = await found?.catch(() => undefined);
      await client?.backend.close();
      await php?.close();
    },
  };
}

/** Looked for each time until it is there: it may be installed any moment. */
async function findProgram({ program, label }: PhpRule): Promise<string> {
  const found = await findPhp(program);
  switch (found.kind) {
    case 'found':
      return found.program;
    case 'none':
      throw new BackendFailure(501, howToInstall(found));
    case 'unusable':
      throw new BackendFailure(
        501,
        'The PHP that liteServer.php.path names cannot be run: it must be an executable php-cgi.',
        `${label}: ${found.program} (liteServer.php.path) is not an executable file`,
      );
  }
}
