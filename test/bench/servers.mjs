// The servers: ours as it ships and those it is compared with, each on a loopback port and, unless asked otherwise, on
// the server's core.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { spawnOwned } from '../host/owned.mjs';
import { exchange, requestHead } from './sites.mjs';
import { ENVIRONMENT, provideRival, SERVER_CORE } from './tools.mjs';

/**
 * @typedef {object} Running
 * @property {string} name
 * @property {number} port
 * @property {number} pid leader of its process group
 * @property {() => Promise<void>} end
 *
 * @typedef {{ pinned?: boolean }} Place whether it is kept on the server's core (so it is by default)
 */

/** @param {string} name of a module beside this one */
const child = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Starts a server and waits until it answers.
 * @param {string} name
 * @param {(port: number) => readonly string[]} command
 * @param {{ cwd: string, probe: string } & Place} options a path that is answered with 200 and a Content-Length
 * @returns {Promise<Running>}
 */
export async function start(name, command, { cwd, probe, pinned = true }) {
  const port = await freePort();
  let lastWords = '';
  const [program = '', ...args] = [...(pinned ? ['taskset', '-c', SERVER_CORE] : []), ...command(port)];
  const server = spawnOwned(program, args, {
    cwd,
    env: ENVIRONMENT,
    onOutput: (text) => {
      lastWords = text;
    },
  });
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  const deadline = Date.now() + 20_000;
  for (;;) {
    try {
      await exchange(port, requestHead(probe, port, 'minimal'));
      return { name, port, pid: server.pid ?? 0, end: () => server.end() };
    } catch (error) {
      if (!ended && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        continue;
      }
      await server.end();
      throw new Error(
        `${name} did not start: ${lastWords.trim().split('\n').at(-1) || /** @type {Error} */ (error).message}`,
        { cause: error },
      );
    }
  }
}

/** @returns {Promise<number>} */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer()
      .once('error', reject)
      .listen(0, '127.0.0.1', () => {
        const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
        server.close(() => {
          resolve(port);
        });
      });
  });
}

/**
 * Lite Server as it ships: its access lines go to a pipe that somebody reads.
 * @param {string} cli
 * @param {string} root
 * @param {string} probe
 * @param {{ config?: Record<string, unknown>, temp: string, flags?: readonly string[] } & Place} options
 */
export function startOurs(cli, root, probe, { config = {}, temp, flags = [], ...place }) {
  const file = path.join(temp, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  return start(
    'lite-server',
    (port) => [process.execPath, cli, '127.0.0.1', String(port), '--root', root, '--config', file, ...flags],
    { cwd: temp, probe, ...place },
  );
}

/**
 * The ceiling: whatever arrives is answered with the same bytes, in one write.
 * @param {Buffer} answer
 * @param {string} temp
 */
export function startBare(answer, temp) {
  const file = path.join(temp, 'answer.bin');
  writeFileSync(file, answer);
  return start('bare net', (port) => [process.execPath, child('bareServer.mjs'), String(port), file], {
    cwd: temp,
    probe: '/',
  });
}

/** @param {string} root @param {string} probe */
export async function startSirv(root, probe) {
  const folder = await provideRival('sirv', '3.0.2');
  return start('sirv dev', (port) => [process.execPath, child('sirvServer.mjs'), String(port), folder, root], {
    cwd: root,
    probe,
  });
}

/** @param {string} root @param {string} probe @param {Place} [place] */
export async function startLiveServer(root, probe, place) {
  const folder = await provideRival('live-server', '1.2.2');
  return start(
    'live-server',
    (port) => [
      process.execPath,
      path.join(folder, 'live-server.js'),
      `--port=${port}`,
      '--host=127.0.0.1',
      '--no-browser',
      '--quiet',
    ],
    { cwd: root, probe, ...place },
  );
}

/** @param {string} root @param {string} probe @param {Place} [place] */
export async function startFiveServer(root, probe, place) {
  const folder = await provideRival('five-server', '0.4.5');
  return start(
    'five-server',
    (port) => [process.execPath, path.join(folder, 'lib/bin.js'), `--port=${port}`, '--host=127.0.0.1', '--open=false'],
    { cwd: root, probe, ...place },
  );
}

/**
 * nginx as Debian sets it up, with one worker: sendfile, access log.
 * @param {string} root
 * @param {string} probe
 * @param {string} temp
 */
export function startNginx(root, probe, temp) {
  const folder = path.join(temp, 'nginx');
  mkdirSync(folder, { recursive: true });
  const conf = path.join(folder, 'nginx.conf');
  return start(
    'nginx',
    (port) => {
      writeFileSync(conf, nginxConf(root, port));
      return ['nginx', '-p', `${folder}/`, '-c', conf, '-e', path.join(folder, 'error.log')];
    },
    { cwd: temp, probe },
  );
}

/** @param {string} root @param {number} port */
function nginxConf(root, port) {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path temp-${kind};`)
    .join(' ');
  return `daemon off;
${process.getuid?.() === 0 ? 'user root;' : ''}
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  ${paths}
  types { text/html html; text/css css; text/javascript js; }
  default_type application/octet-stream;
  sendfile on;
  tcp_nopush on;
  access_log access.log;
  keepalive_requests 100000000;
  server { listen 127.0.0.1:${port}; root ${root}; }
}
`;
}
