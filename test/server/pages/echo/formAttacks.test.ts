/** What hostile forms do to the page that shows them. */
import assert from 'node:assert/strict';
import { IncomingBody } from '../../../../src/server/body/incomingBody.js';
import { readForm, type FormProblem, type FormReport } from '../../../../src/server/pages/echo/formParser.js';
import { DEFAULT_LIMITS } from '../../../../src/server/options/limits.js';
import { parseRequest } from '../../../../src/server/http/requestParser.js';
import { ask, open, withoutNonces } from '../../../support/client.js';
import { startSite, until, type Site } from '../../../support/site.js';
import { sized } from '../../../support/sized.js';

const CRLF = '\r\n';

function echoing(): Promise<Site> {
  return startSite({ files: { 'www/html/index.html': 'page' }, options: { post: 'echo' } });
}

/** In pieces, as they come from a socket. */
function read(contentType: string, bytes: Buffer, size = 65_536): Promise<FormReport | FormProblem> {
  const parsed = parseRequest(
    Buffer.from(['POST / HTTP/1.1', 'Host: localhost', `Content-Type: ${contentType}`, '', ''].join(CRLF), 'latin1'),
    DEFAULT_LIMITS,
  );
  assert.ok(parsed !== undefined && 'request' in parsed);
  const body = new IncomingBody(bytes.length, () => undefined);
  const found = readForm(parsed.request, body);
  const step = (at: number): void => {
    if (body.destroyed) return;
    body.push(at < bytes.length ? bytes.subarray(at, at + size) : null);
    if (at < bytes.length) setImmediate(step, at + size);
  };
  step(0);
  return found;
}

describe('forms under attack: size', () => {
  for (const accept of ['text/html', 'application/json']) {
    for (const depth of [5000, 400_000]) {
      it(`JSON ${depth} deep is shown, as ${accept}`, async () => {
        const site = await echoing();
        const body = '['.repeat(depth) + ']'.repeat(depth);
        const reply = await ask(
          site.port,
          'POST / HTTP/1.1',
          [`Accept: ${accept}`, 'Content-Type: application/json', `Content-Length: ${body.length}`],
          body,
        );
        assert.equal(reply.status, 200);
        assert.deepEqual(site.failures, []);
      });
    }
  }

  it('a few kB of deep JSON do not become many MB', async () => {
    const site = await echoing();
    const body = `${'['.repeat(100)}${'1,'.repeat(30_000)}1${']'.repeat(100)}`;
    const reply = await ask(
      site.port,
      'POST / HTTP/1.1',
      ['Accept: application/json', 'Content-Type: application/json', `Content-Length: ${body.length}`],
      body,
    );
    assert.equal(reply.status, 200);
    assert.ok(reply.body.length < 5_000_000, `${body.length} bytes became ${reply.body.length}`);
  });

  const whole = (found: FormReport | FormProblem): FormReport => {
    assert.ok(!('why' in found));
    return found;
  };
  const kept = ({ fields, files }: FormReport): number =>
    [
      ...fields.flatMap(({ name, value }) => [name, value]),
      ...files.flatMap(({ name, filename, type }) => [name, filename, type]),
    ].reduce((sum, text) => sum + text.length, 0);
  const MIB = 1024 * 1024;

  it('of all fields together no more is kept than of a text', async () => {
    const report = whole(
      await read('application/x-www-form-urlencoded', Buffer.from(`a=${'x'.repeat(16_000)}&`.repeat(500))),
    );
    assert.ok(kept(report) <= MIB, `${kept(report)} characters`);
    assert.deepEqual([report.fields.length, report.fields[0]?.isCut, report.fields.at(-1)?.isCut], [500, false, true]);
  });

  it('nor of the names of all files', async () => {
    const part = `--XX${CRLF}Content-Disposition: form-data; name="${'n'.repeat(7000)}"; filename="${'f'.repeat(7000)}"${CRLF}${CRLF}x${CRLF}`;
    const report = whole(
      await read('multipart/form-data; boundary=XX', Buffer.from(`${part.repeat(500)}--XX--${CRLF}`)),
    );
    assert.ok(kept(report) <= MIB, `${kept(report)} characters`);
    assert.equal(report.files.length, 500);
  });

  it('and the page says which it has not kept', async () => {
    const site = await echoing();
    const body = `a=${'x'.repeat(16_000)}&`.repeat(70);
    const reply = await ask(
      site.port,
      'POST / HTTP/1.1',
      ['Accept: text/html', 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`],
      body,
    );
    assert.match(reply.body, /the beginning of more than was kept[^]*not kept: the form is too long/);
  });
});

describe('forms under attack: what held from the first', () => {
  const EVIL = '</script><img src=x onerror=alert(1)>"\'\u202e\u0000&lt;';

  it('nothing that was sent becomes markup, wherever it stands', async () => {
    const site = await echoing();
    const encoded = encodeURIComponent(EVIL);
    const multipart = [
      `name="${EVIL.replaceAll('"', '%22')}"`,
      `name*=utf-8''${encoded}`,
      `name="a"; filename*=utf-8''${encoded}`,
      `name="a"; filename="${EVIL.replaceAll('"', '%22')}"`,
    ]
      .map(
        (disposition) =>
          `--X${CRLF}Content-Disposition: form-data; ${disposition}${CRLF}Content-Type: ${EVIL.replaceAll('\u0000', '')}${CRLF}${CRLF}${EVIL}${CRLF}`,
      )
      .join('');
    const bodies: readonly (readonly [type: string, body: string])[] = [
      ['application/x-www-form-urlencoded', `${encoded}=${encoded}`],
      ['multipart/form-data; boundary=X', `${multipart}--X--${CRLF}`],
      ['text/plain', EVIL],
      ['application/json', JSON.stringify({ [EVIL]: [EVIL] })],
      ['text/html; charset=utf-7', '+ADw-img src+AD0-x onerror+AD0-alert(1)+AD4-<img'],
      ['text/plain; charset=utf-16le', Buffer.from(EVIL, 'utf16le').toString('latin1')],
      ['text/<img>', EVIL],
      ['text/plain; charset=iso-2022-jp', `\x1b$B<img\x1b(B<img`],
    ];
    for (const [type, text] of bodies) {
      const body = type.includes('utf-16') ? text : Buffer.from(text).toString('latin1');
      for (const accept of ['text/html', 'application/json']) {
        const reply = await ask(
          site.port,
          `POST /${encoded}?${encoded}=${encoded} HTTP/1.1`,
          [`Accept: ${accept}`, `Content-Type: ${type}`, `Content-Length: ${body.length}`],
          body,
        );
        assert.equal(reply.status, 200, type);
        assert.equal(reply.fields['x-content-type-options'], 'nosniff');
        const shown = withoutNonces(Buffer.from(reply.body, 'latin1').toString());
        if (accept === 'text/html')
          assert.ok(
            ['<img', '</script', '\u202e', '\0'].every((bad) => !shown.includes(bad)),
            type,
          );
        else assert.ok(JSON.parse(shown));
      }
    }
    assert.deepEqual(site.failures, []);
  });

  it('fields called __proto__ and constructor are fields', async () => {
    const site = await echoing();
    const body = '__proto__=1&constructor=2&__proto__[x]=3';
    const reply = await ask(
      site.port,
      'POST / HTTP/1.1',
      ['Accept: application/json', 'Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`],
      body,
    );
    assert.deepEqual((JSON.parse(reply.body) as FormReport).fields, [
      { name: '__proto__', value: '1' },
      { name: 'constructor', value: '2' },
      { name: '__proto__[x]', value: '3' },
    ]);
    const part = ['__proto__', 'constructor']
      .map((name) => `--X${CRLF}${name}: x${CRLF}Content-Disposition: form-data; name="${name}"${CRLF}${CRLF}v${CRLF}`)
      .join('');
    const found = await read('multipart/form-data; boundary=X', Buffer.from(`${part}--X--${CRLF}`), 7);
    assert.deepEqual('fields' in found && found.fields.map(({ name }) => name), ['__proto__', 'constructor']);
    assert.equal(({} as Record<string, unknown>).x, undefined);
  });

  it('10,000 fields: 413', async () => {
    const site = await echoing();
    const body = 'a=1&'.repeat(10_000);
    assert.equal(
      (
        await ask(
          site.port,
          'POST / HTTP/1.1',
          ['Content-Type: application/x-www-form-urlencoded', `Content-Length: ${body.length}`],
          body,
        )
      ).status,
      413,
    );
  });

  it('a boundary of every size; those beyond what RFC 2046 §5.1.1 allows (70) are read or refused', async () => {
    for (const length of [1, 2, 69, 70, 71, 251, 252, 253, 256, 1000, 8000]) {
      const boundary = 'b'.repeat(length);
      const found = await read(
        `multipart/form-data; boundary=${boundary}`,
        Buffer.from(
          `--${boundary}${CRLF}Content-Disposition: form-data; name="a"${CRLF}${CRLF}--${boundary.slice(1)}x${CRLF}--${boundary}--${CRLF}`,
        ),
        13,
      );
      if (length > 70 && 'why' in found) assert.equal(found.status, 400);
      else assert.ok('fields' in found && found.fields[0]?.name === 'a', String(length));
    }
  });

  it('generated bodies: every one is read to an end, whatever it is', async () => {
    const atoms = [
      '--XX',
      '--XX--',
      CRLF,
      CRLF + CRLF,
      '\n',
      '-',
      '--',
      'X',
      'Content-Disposition: form-data; name="a"',
      'Content-Disposition: form-data; name="a"; filename="b"',
      "Content-Disposition: form-data; name*=utf-8''%e2%82; filename*=utf-16le''%00",
      'Content-Type: text/plain; charset=base64',
      'Content-Type: text/plain; charset*=',
      'Content-Type: ;;charset=;*=',
      'Content-Disposition: form-data; name; filename; =;*',
      'Content-Disposition: form-data;name=__proto__',
      '__proto__: x',
      'Content-Transfer-Encoding: base64',
      '\0',
      'x'.repeat(3000),
      'Content-Disposition: attachment; name=x',
      ' folded',
      '\u00e9',
      ':',
      'Content-Disposition: form-data; name="\\"',
      'y'.repeat(70_000),
      'Content-Type: multipart/mixed; boundary=YY',
      '--YY',
      '--YY--',
    ];
    const types = [
      'multipart/form-data; boundary=XX',
      'multipart/form-data; boundary="XX"',
      'multipart/form-data; boundary=',
      "multipart/form-data; boundary*=utf-8''XX",
      'application/x-www-form-urlencoded; charset=base64',
      'multipart/form-data; boundary=X; charset=utf-7',
    ];
    let seed = 4711;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) & 0x7fff_ffff) % below;
    const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
    for (let i = 0; i < sized(500, 15_000); i++) {
      let text = random(3) > 0 ? `--XX${CRLF}` : '';
      for (let parts = random(14) + 1; parts > 0; parts--) text += pick(atoms) + (random(2) === 0 ? '' : CRLF);
      if (random(2) === 0) text += `${CRLF}--XX--${CRLF}`;
      if (random(6) === 0) text = text.slice(0, random(text.length + 1));
      const type = pick(types);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise((resolve) => {
        timer = setTimeout(resolve, 1500, 'late');
      });
      assert.notEqual(
        await Promise.race([
          read(type, Buffer.from(text, 'latin1'), text.length < 2000 ? pick([1, 7, 64, 1000]) : 65_536),
          late,
        ]),
        'late',
        JSON.stringify([type, text.slice(0, 500)]),
      );
      clearTimeout(timer);
    }
  });

  it('a text in a million chunks of one byte takes no more memory than in one', async () => {
    const site = await echoing();
    const socket = await open(site.port);
    const heap = (): number => process.memoryUsage().heapUsed + process.memoryUsage().external;
    const before = heap();
    socket.write(
      `POST / HTTP/1.1${CRLF}Host: localhost${CRLF}Accept: application/json${CRLF}Content-Type: text/plain${CRLF}Transfer-Encoding: chunked${CRLF}${CRLF}`,
    );
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      text += bytes.toString('latin1');
    });
    const piece = `1${CRLF}x${CRLF}`.repeat(10_000);
    let max = 0;
    for (let i = 0; i < 50; i++) {
      if (!socket.write(piece))
        await new Promise((resolve) => {
          socket.once('drain', resolve);
        });
      max = Math.max(max, heap() - before);
    }
    socket.write(`0${CRLF}${CRLF}`);
    await until('the answer', () => text.includes('"length": 500000'), 4000);
    assert.ok(max < 150 * 1024 * 1024, `${max} bytes`);
  });

  it('100 slow uploads of files wait in little memory, and others are served', async () => {
    const site = await echoing();
    const before = process.memoryUsage.rss();
    const sockets = await Promise.all(Array.from({ length: 100 }, () => open(site.port)));
    const piece = Buffer.alloc(256 * 1024, 'x');
    for (const socket of sockets)
      socket.write(
        `POST / HTTP/1.1${CRLF}Host: localhost${CRLF}Content-Type: multipart/form-data; boundary=X${CRLF}Content-Length: 50000000${CRLF}${CRLF}--X${CRLF}Content-Disposition: form-data; name="f"; filename="f"${CRLF}${CRLF}`,
      );
    for (const socket of sockets)
      await new Promise((resolve) => {
        socket.write(piece, resolve);
      });
    assert.equal((await ask(site.port, 'GET / HTTP/1.1')).body, 'page');
    assert.ok(process.memoryUsage.rss() - before < 200 * 1024 * 1024, `${process.memoryUsage.rss() - before} bytes`);
    for (const socket of sockets) socket.destroy();
    await until('all are gone', () => site.server.connections === 0, 3000);
    assert.deepEqual(site.failures, []);
  });
});
