// sirvServer.mjs PORT PACKAGE ROOT: sirv in dev mode (it looks at the disk for each request) in Node's own HTTP server.

import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const [port, folder = '', root = ''] = process.argv.slice(2);
const sirv = createRequire(import.meta.url)(folder);

createServer(sirv(root, { dev: true })).listen(Number(port), '127.0.0.1');
