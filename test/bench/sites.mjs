// What is served and asked for: many small pages, one large file, and the heads of requests.

import { randomFillSync } from 'node:crypto';
import { closeSync, mkdirSync, openSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';

const PAGE = 4096;
const MIB = 1024 * 1024;

/**
 * Writes pages of 4 KB each, different in name and content.
 * @param {string} folder
 * @param {number} [count]
 * @returns {string[]} their paths in URLs
 */
export function writePages(folder, count = 24) {
  mkdirSync(folder, { recursive: true });
  // A file that has just been written may change again unseen; no server is measured in that state.
  const aMinuteAgo = Date.now() / 1000 - 60;
  return Array.from({ length: count }, (_, index) => {
    const name = `page-${String(index).padStart(2, '0')}.html`;
    const start = `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>${name}</title></head><body>\n`;
    const end = '</body></html>\n';
    const line = '<p>The quick brown fox jumps over the lazy dog.</p>\n';
    const lines = line.repeat(Math.floor((PAGE - start.length - end.length) / line.length));
    writeFileSync(path.join(folder, name), (start + lines).padEnd(PAGE - end.length) + end);
    utimesSync(path.join(folder, name), aMinuteAgo, aMinuteAgo);
    return `/${name}`;
  });
}

/**
 * Writes a file that neither the file system nor the network can make smaller, which leaves it in the page cache.
 * @param {string} file
 * @param {number} size bytes, whole MiB
 */
export function writeLargeFile(file, size) {
  mkdirSync(path.dirname(file), { recursive: true });
  const fd = openSync(file, 'w');
  const block = Buffer.alloc(MIB);
  for (let written = 0; written < size; written += block.length) writeSync(fd, randomFillSync(block));
  closeSync(fd);
}

/** @typedef {'minimal' | 'browser'} Heads */

/** What a browser of today sends when somebody follows a link to a page. */
const BROWSER = `Connection: keep-alive
sec-ch-ua: "Not)A;Brand";v="8", "Chromium";v="138", "Google Chrome";v="138"
sec-ch-ua-mobile: ?0
sec-ch-ua-platform: "Linux"
Upgrade-Insecure-Requests: 1
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8
Sec-Fetch-Site: same-origin
Sec-Fetch-Mode: navigate
Sec-Fetch-Dest: document
Accept-Encoding: gzip, deflate, br, zstd
Accept-Language: en-US,en;q=0.9
`.replaceAll('\n', '\r\n');

/**
 * @param {string} target
 * @param {number} port
 * @param {Heads} heads `minimal` is what wrk sends by itself
 */
export function requestHead(target, port, heads) {
  return `GET ${target} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n${heads === 'browser' ? BROWSER : ''}\r\n`;
}

/**
 * Sends one request and reads the whole answer, byte for byte.
 * @param {number} port
 * @param {string} head
 * @returns {Promise<Buffer>} fails unless it is a 200 with a Content-Length
 */
export function exchange(port, head) {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head, 'latin1'));
    let received = Buffer.alloc(0);
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer within 10 s')));
    socket.on('error', reject);
    socket.on('close', () => {
      reject(new Error('the connection was closed before the answer was complete'));
    });
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      const end = received.indexOf('\r\n\r\n') + 4;
      if (end < 4) return;
      const text = received.toString('latin1', 0, end);
      const length = /^content-length: *(\d+)/im.exec(text);
      if (!text.startsWith('HTTP/1.1 200 ') || length === null)
        reject(new Error(`unexpected answer: ${text.split('\r\n', 1)[0] ?? ''}`));
      else if (received.length < end + Number(length[1])) return;
      else resolve(received);
      socket.destroy();
    });
  });
}
