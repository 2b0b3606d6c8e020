// idleClient.mjs PORT COUNT PATH: opens COUNT connections, uses each once, says so, and holds them until it is ended.

import { connect } from 'node:net';
import { requestHead } from './sites.mjs';

const [port, count, target = '/'] = process.argv.slice(2);
const wanted = Number(count);
const head = requestHead(target, Number(port), 'minimal');
const AT_ONCE = 100;
/** Loopback addresses to connect from: one alone may run out of ports. */
const SOURCES = 4;

let started = 0;
let open = 0;

/** @param {string} what */
function giveUp(what) {
  console.log(`after ${open} connections: ${what}`);
  process.exit(1);
}

function openNext() {
  if (started === wanted) return;
  const localAddress = `127.0.0.${2 + (started++ % SOURCES)}`;
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress }, () => socket.write(head, 'latin1'));
  socket.on('error', (error) => {
    giveUp(error.message);
  });
  socket.on('end', () => {
    giveUp('the server closed one');
  });
  let received = '';
  let answered = false;
  socket.on('data', (bytes) => {
    if (answered) return;
    received += bytes.toString('latin1');
    const end = received.indexOf('\r\n\r\n') + 4;
    const length = Number(/^content-length: *(\d+)/im.exec(received)?.[1]);
    if (end < 4 || received.length < end + length) return;
    answered = true;
    received = '';
    if (++open === wanted) console.log(`${open} open`);
    openNext();
  });
}

for (let i = 0; i < AT_ONCE; i++) openNext();
