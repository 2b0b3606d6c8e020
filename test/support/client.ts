/**
 * A client that writes raw bytes: nothing is normalised on the way to the server.
 */
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { atEnd } from './site.js';

export interface Reply {
  readonly status: number;
  /** Names in lower case; repeated fields joined with a comma. */
  readonly fields: Readonly<Record<string, string>>;
  /** latin1 */
  readonly body: string;
}

/** Opens a connection that ends with the test. The client never closes by itself. */
export async function open(port: number, host = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host, allowHalfOpen: true });
  socket.on('error', () => undefined);
  atEnd(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  return socket;
}

/** Everything the server sends until it closes. latin1 */
export async function readAll(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  await new Promise<void>((resolve) =>
    socket.once('end', resolve).once('close', () => {
      resolve();
    }),
  );
  socket.end();
  return text;
}

/**
 * Sends bytes (a string is latin1; several pieces are sent one by one, each flushed) and reads until the server closes.
 * Ask for `Connection: close`, or send something that makes the server close, else it waits for the idle timeout.
 */
export async function exchange(
  port: number,
  pieces: string | Buffer | readonly (string | Buffer)[],
  { fin = false } = {},
): Promise<string> {
  const socket = await open(port);
  socket.setNoDelay(true);
  const reply = readAll(socket);
  for (const piece of typeof pieces === 'string' || Buffer.isBuffer(pieces) ? [pieces] : pieces) {
    await new Promise<void>((resolve) =>
      socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece, () => {
        setImmediate(resolve);
      }),
    );
  }
  if (fin) socket.end();
  return reply;
}

/**
 * Splits a stream of responses as a client would: by chunks or Content-Length, none for HEAD (name those), 204 and 304.
 */
export function parseReplies(text: string, bodyless: (index: number) => boolean = () => false): Reply[] {
  const replies: Reply[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\r\n\r\n', at);
    if (end < 0) throw new Error(`no head in ${JSON.stringify(text.slice(at, at + 200))}`);
    const [statusLine, ...lines] = text.slice(at, end).split('\r\n') as [string, ...string[]];
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
    const fields: Record<string, string> = {};
    for (const line of lines) {
      const [, name, value] = /^([^:]+): (.*)$/.exec(line) as unknown as [string, string, string];
      const key = name.toLowerCase();
      fields[key] = key in fields ? `${fields[key] as string}, ${value}` : value;
    }
    if (fields['transfer-encoding'] === 'chunked') {
      const { body, next } = readChunks(text, end + 4);
      replies.push({ status, fields, body });
      at = next;
      continue;
    }
    const length = bodyless(replies.length) || status === 204 || status === 304 ? 0 : Number(fields['content-length']);
    const body = text.slice(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`body of ${length} bytes ended after ${body.length}`);
    replies.push({ status, fields, body });
    at = end + 4 + length;
  }
  return replies;
}

function readChunks(text: string, from: number): { readonly body: string; readonly next: number } {
  let body = '';
  for (let at = from; ;) {
    const end = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, end), 16);
    if (end < 0 || Number.isNaN(size) || text.slice(end + 2 + size, end + 4 + size) !== '\r\n')
      throw new Error(`the chunks ended after ${body.length} bytes`);
    body += text.slice(end + 2, end + 2 + size);
    at = end + 4 + size;
    if (size === 0) return { body, next: at };
  }
}

/**
 * One request on a connection of its own. `head` without the empty line: `'GET / HTTP/1.1'` gets a Host and
 * `Connection: close`.
 */
export async function ask(
  port: number,
  requestLine: string,
  fields: readonly string[] = [],
  body = '',
): Promise<Reply> {
  const host = fields.some((field) => /^host:/i.test(field)) ? [] : [`Host: 127.0.0.1:${port}`];
  const text = [requestLine, ...host, ...fields, 'Connection: close', '', body].join('\r\n');
  const [reply, ...more] = parseReplies(await exchange(port, text), () => requestLine.startsWith('HEAD '));
  if (reply === undefined || more.length > 0)
    throw new Error(`${more.length + (reply === undefined ? 0 : 1)} replies to one request`);
  return reply;
}

/** GET of a path as it stands, nothing normalised. */
export function get(port: number, target: string, fields: readonly string[] = []): Promise<Reply> {
  return ask(port, `GET ${target} HTTP/1.1`, fields);
}

/** A page as it is every time: a nonce is drawn by lot, and may hold any word that a test looks for. */
export function withoutNonces(html: string): string {
  return html.replaceAll(/nonce="[^"]*"/g, 'nonce=""');
}
