import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { IncomingBody } from '../../../../src/server/body/incomingBody.js';
import { readForm, type FormProblem, type FormReport } from '../../../../src/server/pages/echo/formParser.js';
import { DEFAULT_LIMITS } from '../../../../src/server/options/limits.js';
import { parseRequest } from '../../../../src/server/http/requestParser.js';

const CRLF = '\r\n';

/** What is read of a body, which comes in pieces of a size. */
async function read(
  contentType: string,
  content: string | Buffer,
  { size = 65_536, fields = [] as string[] } = {},
): Promise<FormReport | FormProblem> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  const head = [
    'POST / HTTP/1.1',
    'Host: localhost',
    ...(contentType === '' ? [] : [`Content-Type: ${contentType}`]),
    ...fields,
    '',
    '',
  ].join(CRLF);
  const parsed = parseRequest(Buffer.from(head), DEFAULT_LIMITS);
  assert.ok(parsed !== undefined && 'request' in parsed);
  const body = new IncomingBody(bytes.length, () => undefined);
  for (let at = 0; at < bytes.length; at += size) body.push(bytes.subarray(at, at + size));
  body.push(null);
  return readForm(parsed.request, body);
}

function report(found: FormReport | FormProblem): FormReport {
  assert.ok(!('why' in found), 'why' in found ? found.why : '');
  return found;
}

function part(disposition: string, content: string, type = ''): string {
  return `--XX${CRLF}Content-Disposition: form-data; ${disposition}${CRLF}${type === '' ? '' : `Content-Type: ${type}${CRLF}`}${CRLF}${content}${CRLF}`;
}

const MULTIPART = 'multipart/form-data; boundary=XX';
const END = `--XX--${CRLF}`;

describe('form data', () => {
  const urlencoded: readonly (readonly [text: string, wanted: readonly (readonly [string, string])[]])[] = [
    [
      'a=1&b=2&a=3',
      [
        ['a', '1'],
        ['b', '2'],
        ['a', '3'],
      ],
    ],
    [
      'a=%20x+y&%C3%A9=%E2%82%AC',
      [
        ['a', ' x y'],
        ['é', '€'],
      ],
    ],
    ['a', [['a', '']]],
    ['a=', [['a', '']]],
    ['a[a][b=1', [['a[a][b', '1']]],
    ['', []],
    ['a=%zz', [['a', '%zz']]],
  ];
  for (const [text, wanted] of urlencoded) {
    it(`urlencoded: ${JSON.stringify(text)}`, async () => {
      for (const size of [1, 65_536])
        assert.deepEqual(
          report(await read('application/x-www-form-urlencoded', text, { size })).fields.map(({ name, value }) => [
            name,
            value,
          ]),
          wanted,
        );
    });
  }

  it('multipart: fields and files in order, however they are cut', async () => {
    const file = 'x'.repeat(5000);
    const text =
      part('name="a"', '1') +
      part('name="f"; filename="C:\\\\dir\\\\x.php"', file, 'text/x-php') +
      part('name="b"', 'line 1\r\nline 2') +
      part('name="empty"; filename=""', '', 'application/octet-stream') +
      END;
    for (const size of [1, 7, 1000, 65_536]) {
      const { fields, files, length } = report(await read(MULTIPART, text, { size }));
      assert.deepEqual(
        fields.map(({ name, value }) => [name, value]),
        [
          ['a', '1'],
          ['b', 'line 1\r\nline 2'],
        ],
      );
      const [first] = files;
      assert.deepEqual(
        [first?.name, first?.type, first?.size, first?.sha256],
        ['f', 'text/x-php', 5000, createHash('sha256').update(file).digest('hex')],
      );
      assert.equal(length, text.length);
    }
  });

  const broken: readonly (readonly [name: string, type: string, content: string, status: number])[] = [
    ['no boundary', 'multipart/form-data', part('name="a"', '1') + END, 400],
    ['a part that does not end', MULTIPART, part('name="a"; filename="x"', 'abc').slice(0, -2), 400],
    ['a field that does not end', MULTIPART, part('name="a"', 'abc').slice(0, -2), 400],
    ['nothing at all', MULTIPART, '', 400],
    ['too many fields', MULTIPART, part('name="a"', '1').repeat(1001) + END, 413],
    ['too many files', MULTIPART, part('name="a"; filename="x"', '1').repeat(1001) + END, 413],
    ['too many pairs', 'application/x-www-form-urlencoded', 'a=1&'.repeat(1002), 413],
  ];
  for (const [name, type, content, status] of broken) {
    it(`${name}: ${status}`, async () => {
      const found = await read(type, content);
      assert.ok('why' in found, JSON.stringify(found).slice(0, 200));
      assert.equal(found.status, status);
    });
  }

  it('a head of a part without end costs no memory', async () => {
    const found = await read(MULTIPART, `--XX${CRLF}X: ${'x'.repeat(3_000_000)}`);
    assert.ok('why' in found);
  });

  it('compressed: never inflated', async () => {
    assert.deepEqual(await read('text/plain', 'x', { fields: ['Content-Encoding: gzip'] }), {
      status: 415,
      why: 'Compressed forms are not read.',
    });
  });

  it('a long value is cut, and says so', async () => {
    const { fields } = report(await read(MULTIPART, part('name="a"', 'x'.repeat(100_000)) + END));
    assert.deepEqual([fields[0]?.value.length, fields[0]?.isCut], [16 * 1024, true]);
  });

  it('JSON, text, and what is neither', async () => {
    assert.deepEqual(report(await read('application/json', '{"a":[1]}')).json, { a: [1] });
    assert.deepEqual(report(await read('application/vnd.x+json', '[]')).json, []);
    const bad = report(await read('application/json', '{'));
    assert.deepEqual([bad.json, bad.text], [undefined, '{']);
    assert.equal(report(await read('text/plain; charset=iso-8859-1', Buffer.from([0xe9]))).text, 'é');
    assert.equal(report(await read('text/plain; charset=no-such', 'x')).text, 'x');
    assert.equal(report(await read('application/octet-stream', 'x')).text, undefined);
    assert.equal(report(await read('', 'x')).text, undefined);
    const long = report(await read('text/plain', 'x'.repeat(3_000_000)));
    assert.deepEqual([long.text?.length, long.isTextCut, long.length], [1024 * 1024, true, 3_000_000]);
  });

  it('a body that is refused is refused here too', async () => {
    const body = new IncomingBody(undefined, () => undefined);
    const parsed = parseRequest(
      Buffer.from(`POST / HTTP/1.1${CRLF}Host: localhost${CRLF}Content-Type: ${MULTIPART}${CRLF}${CRLF}`),
      DEFAULT_LIMITS,
    );
    assert.ok(parsed !== undefined && 'request' in parsed);
    const reading = readForm(parsed.request, body);
    body.push(Buffer.from(part('name="a"', '1')));
    body.destroy(new Error('gone'));
    await assert.rejects(reading, /gone/);
  });
});
