// Backends and encryption beside nginx: PHP by the same php-fpm, the same server behind a proxy, the same certificate
// and cipher; and the memory of a gigabyte through each backend.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { spawnOwned } from '../host/owned.mjs';
import { ensureSystemTools, findFpm } from '../host/tools.mjs';
import { list, median, ratio } from './figures.mjs';
import { memoryOf } from './processes.mjs';
import { CLIENT_CORE, ENVIRONMENT, run, SERVER_CORE } from './tools.mjs';

/**
 * @typedef {import('./figures.mjs').Figure} Figure
 * @typedef {import('./run.mjs').Bench} Bench
 * @typedef {{ name: string, port: number, pid: number, end: () => Promise<void> }} Running
 */

const MIB = 1024 * 1024;
const CHILDREN = 8;
const CONNECTIONS = 32;
const CIPHER = 'ECDHE-ECDSA-AES128-GCM-SHA256';

/** @param {Bench} bench @returns {Promise<Figure[]>} */
export async function measureBackends(bench) {
  await ensureSystemTools(['php-fpm', 'openssl']);
  const folder = path.join(bench.temp, 'backends');
  const root = path.join(folder, 'root');
  mkdirSync(path.join(root, 'cgi-bin'), { recursive: true });
  writeFileSync(path.join(root, 'hello.php'), '<?php echo "hello"; ?>\n');
  writeFileSync(path.join(root, 'index.html'), `<!doctype html><title>index</title>${'x'.repeat(950)}\n`);
  writeFileSync(path.join(root, '4k.txt'), 'x'.repeat(4096));
  writeFileSync(
    path.join(root, 'count.php'),
    '<?php $in = fopen("php://input", "r"); $n = 0; while (!feof($in)) $n += strlen(fread($in, 65536)); echo $n;',
  );
  writeFileSync(
    path.join(root, 'big.php'),
    '<?php set_time_limit(0); $c = str_repeat("x", 1 << 20); for ($i = 0; $i < (int) $_GET["mib"]; $i++) { echo $c; flush(); }',
  );
  writeFileSync(path.join(root, 'cgi-bin/count.sh'), "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nwc -c\n", {
    mode: 0o755,
  });
  writeFileSync(
    path.join(root, 'cgi-bin/big.sh'),
    '#!/bin/sh\nprintf \'Content-Type: text/plain\\n\\n\'\nhead -c "${QUERY_STRING}M" /dev/zero\n',
    { mode: 0o755 },
  );
  // One for each server: a kept connection holds a process, and would keep the other server waiting.
  const pools = [await startFpm(folder, 'fpm'), await startFpm(folder, 'fpm-nginx')];
  const upstream = await startNginx(
    'upstream',
    folder,
    (port) => `server { listen 127.0.0.1:${port}; root ${root}; }`,
    CLIENT_CORE,
  );
  try {
    return [...(await speeds(bench, { folder, root, upstream })), ...(await memory(bench, { folder, root, upstream }))];
  } finally {
    await upstream.end();
    for (const fpm of pools) await fpm.end();
  }
}

/** @typedef {{ folder: string, root: string, upstream: Running }} Scene */

/** @param {Bench} bench @param {Scene} scene @returns {Promise<Figure[]>} */
async function speeds({ quick, cli }, { folder, root, upstream }) {
  const backends = [
    { match: '**/*.php', type: 'fastcgi', address: `unix:${folder}/fpm.sock`, maxConnections: CHILDREN },
    { match: '/api/', type: 'proxy', target: `http://127.0.0.1:${upstream.port}`, stripPrefix: true },
  ];
  const plain = await startOurs('plain', cli, folder, { root, backends });
  const encrypted = await startOurs('encrypted', cli, folder, { root, https: { mode: 'auto' } });
  const pem = path.join(folder, 'data/lite-server/server.pem');
  writeFileSync(path.join(folder, 'chain.pem'), readFileSync(pem, 'utf8'));
  const params = readFileSync('/etc/nginx/fastcgi_params', 'utf8');
  const nginx = await startNginx(
    'nginx',
    folder,
    (port) => `
  upstream fpm { server unix:${folder}/fpm-nginx.sock; keepalive ${CHILDREN}; }
  upstream api { server 127.0.0.1:${upstream.port}; keepalive 64; }
  server {
    listen 127.0.0.1:${port}; root ${root};
    location ~ \\.php$ { ${params} fastcgi_param SCRIPT_FILENAME $document_root$fastcgi_script_name; fastcgi_keep_conn on; fastcgi_pass fpm; }
    location /api/ { proxy_pass http://api/; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }`,
    SERVER_CORE,
  );
  const nginxTls = await startNginx(
    'nginx-tls',
    folder,
    (port) => `
  server { listen 127.0.0.1:${port} ssl; root ${root}; ssl_certificate ${folder}/chain.pem; ssl_certificate_key ${pem}; ssl_protocols TLSv1.2; ssl_ciphers ${CIPHER}; }`,
    SERVER_CORE,
  );
  const rounds = quick ? 1 : 5;
  console.log(`\nbackends: requests/s in ${rounds} rounds, ours and nginx in turn`);
  const cases = /** @type {const} */ ([
    [
      'hello.php by FastCGI',
      0.8,
      `http://127.0.0.1:${plain.port}/hello.php`,
      `http://127.0.0.1:${nginx.port}/hello.php`,
    ],
    [
      '4 KB through the proxy',
      0.6,
      `http://127.0.0.1:${plain.port}/api/4k.txt`,
      `http://127.0.0.1:${nginx.port}/api/4k.txt`,
    ],
    [
      '1 KB encrypted, kept connections',
      0.6,
      `https://127.0.0.1:${encrypted.port}/index.html`,
      `https://127.0.0.1:${nginxTls.port}/index.html`,
    ],
  ]);
  /** @type {Figure[]} */
  const figures = [];
  try {
    for (const [name, atLeast, ours, theirs] of cases) {
      for (const url of [ours, theirs]) await load(url, 1);
      /** @type {[number[], number[]]} */
      const rates = [[], []];
      for (let round = 0; round < rounds; round++) {
        rates[0].push(await load(ours, quick ? 1 : 3));
        rates[1].push(await load(theirs, quick ? 1 : 3));
      }
      console.log(`  ${name}: ${list(rates[0])} | nginx ${list(rates[1])}`);
      figures.push(
        { name, value: median(rates[0]), unit: 'requests/s', rounds: rates[0] },
        ratio(`${name}: ours / nginx`, rates[0], rates[1], { atLeast }),
      );
    }
  } finally {
    for (const server of [plain, encrypted, nginx, nginxTls]) await server.end();
  }
  return figures;
}

/**
 * Resident memory that a large body costs, each way and through each backend, on a server of its own.
 * @param {Bench} bench
 * @param {Scene} scene
 * @returns {Promise<Figure[]>}
 */
async function memory({ quick, cli }, { folder, root, upstream }) {
  const mib = quick ? 64 : 1024;
  writeFileSync(path.join(root, 'big.bin'), Buffer.alloc(64 * MIB));
  await run('truncate', ['-s', `${mib}M`, path.join(root, 'big.bin')], { timeout: 60_000 });
  const backends = [
    { match: '/cgi-bin/', type: 'cgi' },
    { match: '**/*.php', type: 'fastcgi', address: `unix:${folder}/fpm.sock` },
    { match: '/api/', type: 'proxy', target: `http://127.0.0.1:${upstream.port}`, stripPrefix: true },
  ];
  const transfers = /** @type {const} */ ([
    ['up, CGI', '/cgi-bin/count.sh', true],
    ['down, CGI', `/cgi-bin/big.sh?${mib}`, false],
    ['up, FastCGI', '/count.php', true],
    ['down, FastCGI', `/big.php?mib=${mib}`, false],
    ['up, proxy', '/sink/form', true],
    ['down, proxy', '/api/big.bin', false],
  ]);
  const sink = await startOurs('sink', cli, folder, { root, post: 'echo', maxBodySize: 2048 });
  backends.push({ match: '/sink/', type: 'proxy', target: `http://127.0.0.1:${sink.port}`, stripPrefix: true });
  /** @type {Figure[]} */
  const figures = [];
  console.log(`\n${mib} MiB through each backend: most resident memory above the beginning`);
  for (const [name, target, isUpload] of transfers) {
    const server = await startOurs('memory', cli, folder, { root, backends, maxBodySize: 2048 });
    const growth = await growthOf(server, target, isUpload ? path.join(root, 'big.bin') : undefined);
    console.log(`  ${name}: ${growth.toFixed(1)} MiB`);
    figures.push({ name: `memory, ${mib} MiB ${name}`, value: growth, unit: 'MiB', required: { atMost: 32 } });
  }
  // What the runtime itself takes for it: each read of a socket that it has accepted is a buffer that waits to be
  // collected.
  const bare = await start(
    'bare',
    (port) => ['taskset', '-c', SERVER_CORE, process.execPath, '-e', BARE, String(port)],
    ENVIRONMENT,
  );
  const floor = await growthOf(bare, '/', path.join(root, 'big.bin'));
  console.log(`  up, a bare socket of Node that throws it away: ${floor.toFixed(1)} MiB`);
  figures.push({ name: `memory, ${mib} MiB up, thrown away by a bare socket of Node`, value: floor, unit: 'MiB' });
  await sink.end();
  return figures;
}

/** Answers when 200 milliseconds long nothing has come. */
const BARE = `require('node:net').createServer((socket) => {
  const over = setTimeout(() => socket.end('HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n'), 200);
  socket.on('error', () => undefined).on('data', () => over.refresh());
}).listen(Number(process.argv[1]), '127.0.0.1');`;

/**
 * MiB of resident memory above the beginning, at most, while a large body goes up or down; ends the server.
 * @param {Running} server
 * @param {string} target
 * @param {string | undefined} upload a file
 */
async function growthOf(server, target, upload) {
  try {
    const url = `http://127.0.0.1:${server.port}${target}`;
    await run('curl', ['-sS', '-o', '/dev/null', '--data-binary', 'x', url.replace(/\d+$/, '1')], { timeout: 30_000 });
    const before = memoryOf(server.pid).now;
    let most = before;
    const watch = setInterval(() => {
      most = Math.max(most, memoryOf(server.pid).now);
    }, 20);
    await run(
      'curl',
      ['-sS', '-o', '/dev/null', '-H', 'Expect:', ...(upload === undefined ? [] : ['-X', 'POST', '-T', upload]), url],
      { timeout: 300_000 },
    );
    clearInterval(watch);
    return (most - before) / MIB;
  } finally {
    await server.end();
  }
}

/** Requests per second; every answer a 200. @param {string} url @param {number} seconds */
async function load(url, seconds) {
  const output = await run(
    'taskset',
    ['-c', CLIENT_CORE, 'wrk', '-t', '1', '-c', String(CONNECTIONS), '-d', `${seconds}s`, '--timeout', '10s', url],
    { timeout: (seconds + 30) * 1000 },
  );
  if (/Non-2xx|Socket errors/.test(output)) throw new Error(`${url}: ${output}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(output)?.[1]);
}

/**
 * @param {string} name
 * @param {string} cli
 * @param {string} folder
 * @param {{ root: string } & Record<string, unknown>} options
 * @returns {Promise<Running>}
 */
function startOurs(name, cli, folder, { root, ...config }) {
  const file = path.join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(config));
  return start(
    name,
    (port) => [
      'taskset',
      '-c',
      SERVER_CORE,
      process.execPath,
      cli,
      '127.0.0.1',
      String(port),
      '--root',
      root,
      '--config',
      file,
    ],
    { ...ENVIRONMENT, XDG_DATA_HOME: path.join(folder, 'data') },
  );
}

/**
 * @param {string} name
 * @param {string} folder
 * @param {(port: number) => string} servers
 * @param {string} core
 * @returns {Promise<Running>}
 */
function startNginx(name, folder, servers, core) {
  const place = path.join(folder, name);
  mkdirSync(place, { recursive: true });
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((kind) => `${kind}_temp_path temp-${kind};`)
    .join(' ');
  return start(
    name,
    (port) => {
      const conf = path.join(place, 'nginx.conf');
      writeFileSync(
        conf,
        `daemon off;\n${process.getuid?.() === 0 ? 'user root;' : ''}\nworker_processes 1;\npid nginx.pid;\nevents { worker_connections 1024; }\nhttp {\n  ${paths}\n  types { text/html html; text/plain txt; }\n  sendfile on;\n  client_max_body_size 0;\n  access_log access.log;\n  keepalive_requests 100000000;\n${servers(port)}\n}\n`,
      );
      return ['taskset', '-c', core, 'nginx', '-p', `${place}/`, '-c', conf, '-e', path.join(place, 'error.log')];
    },
    ENVIRONMENT,
  );
}

/** @param {string} folder @param {string} name @returns {Promise<Running>} */
async function startFpm(folder, name) {
  const conf = path.join(folder, `${name}.conf`);
  writeFileSync(
    conf,
    `[global]\nerror_log=${folder}/${name}.log\ndaemonize=no\n[www]\nlisten=${folder}/${name}.sock\nlisten.mode=0666\nuser=root\ngroup=root\npm=static\npm.max_children=${CHILDREN}\n`,
  );
  const server = spawnOwned(
    'taskset',
    ['-c', CLIENT_CORE, findFpm() ?? 'php-fpm', '-R', '-n', '-y', conf, '-d', 'opcache.enable=1'],
    { cwd: folder, env: ENVIRONMENT, onOutput: () => undefined },
  );
  await until(() => reaches({ path: `${folder}/${name}.sock` }), 'php-fpm');
  return { name: 'php-fpm', port: 0, pid: server.pid ?? 0, end: () => server.end() };
}

/**
 * @param {string} name
 * @param {(port: number) => readonly string[]} command
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<Running>}
 */
async function start(name, command, env) {
  const port = await freePort();
  let lastWords = '';
  const [program = '', ...args] = command(port);
  const server = spawnOwned(program, args, {
    env,
    onOutput: (text) => {
      lastWords = text;
    },
  });
  await until(() => reaches({ port, host: '127.0.0.1' }), name).catch(async (error) => {
    await server.end();
    throw new Error(`${name} did not start: ${lastWords}`, { cause: error });
  });
  return { name, port, pid: server.pid ?? 0, end: () => server.end() };
}

/** @param {() => Promise<boolean>} condition @param {string} what */
async function until(condition, what) {
  for (const deadline = Date.now() + 20_000; !(await condition());) {
    if (Date.now() > deadline) throw new Error(`${what} does not listen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** @param {import('node:net').NetConnectOpts} place @returns {Promise<boolean>} */
function reaches(place) {
  return new Promise((resolve) => {
    const socket = connect(place)
      .once('error', () => {
        resolve(false);
      })
      .once('connect', () => {
        socket.destroy();
        resolve(true);
      });
  });
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
