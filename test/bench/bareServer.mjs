// bareServer.mjs PORT FILE: answers whatever arrives with the bytes of FILE, in one write. What Node can do at most.

import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const [port, file = ''] = process.argv.slice(2);
const answer = readFileSync(file);

createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined);
  socket.on('data', () => socket.write(answer));
}).listen(Number(port), '127.0.0.1');
