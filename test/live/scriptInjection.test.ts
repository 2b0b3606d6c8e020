import assert from 'node:assert/strict';
import type { OutgoingDocument } from '../../src/server/options/hooks.js';
import { decodeDocument, insertionFor } from '../../src/live/scriptInjection.js';
import { cpuTime } from '../support/cpu.js';

const SRC = '../.lite-server/live.js';
const TAG = `<script src="${SRC}"></script>`;
const SVG_TAG = `<script xmlns="http://www.w3.org/2000/svg" href="${SRC}"/>`;
const XHTML_TAG = `<script xmlns="http://www.w3.org/1999/xhtml" src="${SRC}"></script>`;

function documentOf(content: string | Buffer, mediaType = 'text/html', status = 200): OutgoingDocument {
  return {
    path: '/x',
    realPath: '/w/x',
    status,
    mediaType,
    beginning: Buffer.isBuffer(content) ? content : Buffer.from(content, 'utf8'),
  };
}

/** The document with the script in it; undefined when none goes in. */
function inject(content: string | Buffer, mediaType?: string): Buffer | undefined {
  const document = documentOf(content, mediaType);
  const insertion = insertionFor(document, SRC);
  return (
    insertion &&
    Buffer.concat([
      document.beginning.subarray(0, insertion.at),
      insertion.bytes,
      document.beginning.subarray(insertion.at),
    ])
  );
}

describe('inject: where', () => {
  const rows: [what: string, before: string, after: string][] = [
    [
      'a page as it should be',
      '<!doctype html>\n<html lang="en">\n<head>',
      '\n<meta charset="utf-8"></head><body></body></html>',
    ],
    ['a head with attributes', '<!DOCTYPE html><html><head prefix="og: https://ogp.me/ns#">', '<title>x</title>'],
    ['no head', '<!doctype html><html lang=en>', '<body>hello'],
    ['no html', '<!doctype html>', '<title>x</title><p>hello'],
    ['a head alone', '<!doctype html><head>', '<title>x</title>'],
    ['no tags at all', '', 'hello'],
    ['nothing at all', '', ''],
    ['no doctype', '<html><head>', '</head>'],
    [
      'an old doctype',
      '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01//EN" "http://www.w3.org/TR/html4/strict.dtd">',
      '<p>x',
    ],
    ['a comment first', '<!-- <head> --><!doctype html><!-- x > y --><html><!-- <body> --><head>', '<title>'],
    ['a comment in between and text behind it', '<!doctype html>', '<!-- x -->text'],
    ['white space', '\r\n\r\n<!doctype html>\r\n<html>\r\n<head>', '\r\n<title>x'],
    ['capitals', '<!DOCTYPE HTML><HTML LANG="en"><HEAD>', '<TITLE>x</TITLE>'],
    ['a > in an attribute', '<!doctype html><html data-x="a>b" data-y=\'<head>\'><head>', ''],
    ['a second head that is none', '<!doctype html><html>', '<p>x<head>'],
    ['a header, which is no head', '<!doctype html><html>', '<header>x</header>'],
    ['html within the body', '', '<p>x<html lang="de">'],
    ['an end tag first', '', '</p><!doctype html>'],
    ['a base before anything', '<!doctype html><html><head>', '<base href="https://elsewhere.test/">'],
    ['a policy', '<html><head>', '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'">'],
    ['an unfinished tag', '<!doctype html>', '<html lang="en'],
    ['an unfinished comment', '<!doctype html>', '<!-- x'],
    ['PHP-like nonsense', '', '<?xml version="1.0"?>text'],
  ];
  for (const [what, before, after] of rows) {
    it(what, () => {
      assert.equal(inject(before + after)?.toString(), before + TAG + after);
    });
  }

  const xml: [what: string, type: string, before: string, after: string, tag: string][] = [
    [
      'SVG',
      'image/svg+xml',
      '<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg">',
      '<rect/></svg>',
      SVG_TAG,
    ],
    [
      'SVG with declarations',
      'image/svg+xml',
      '<!DOCTYPE svg [ <!ENTITY a "]>"> <!-- ]> --> <!ELEMENT b (c)> ]><!-- x --><svg width="1>2">',
      '</svg>',
      SVG_TAG,
    ],
    [
      'XHTML',
      'application/xhtml+xml',
      '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml">\n<!-- x --><head>',
      '<title/></head></html>',
      XHTML_TAG,
    ],
  ];
  for (const [what, type, before, after, tag] of xml) {
    it(what, () => {
      assert.equal(inject(before + after, type)?.toString(), before + tag + after);
    });
  }

  const left: [what: string, content: string, type?: string][] = [
    ['a page that opts out', '<!doctype html><html data-lite-server-ignore lang="en"><head>'],
    ['an SVG that opts out', '<svg data-lite-server-ignore="">', 'image/svg+xml'],
    ['an empty SVG', '<svg xmlns="http://www.w3.org/2000/svg"/>', 'image/svg+xml'],
    ['a prefixed SVG', '<s:svg xmlns:s="http://www.w3.org/2000/svg">', 'image/svg+xml'],
    ['another kind of XML', '<feed xmlns="http://www.w3.org/2005/Atom">', 'application/xhtml+xml'],
    ['XHTML without a head', '<html xmlns="http://www.w3.org/1999/xhtml"><body/></html>', 'application/xhtml+xml'],
    ['no XML at all', 'hello', 'image/svg+xml'],
  ];
  for (const [what, content, type] of left) {
    it(`${what} is left alone`, () => {
      assert.equal(inject(content, type), undefined);
    });
  }

  it('an error page tells its status', () => {
    assert.equal(
      insertionFor(documentOf('x', 'text/html', 404), SRC)?.bytes.toString(),
      `<script src="${SRC}" data-status="404"></script>`,
    );
    assert.ok(
      insertionFor(documentOf('<svg>', 'image/svg+xml', 404), SRC)
        ?.bytes.toString()
        .includes(' data-status="404"/>'),
    );
  });
});

describe('inject: encodings', () => {
  const page = '<!doctype html><html><head><title>Grüße, 日本</title>';
  const expected = page.replace('<head>', `<head>${TAG}`);

  it('a mark at the beginning stays there, and is believed', () => {
    const utf8 = Buffer.from(`\ufeff${page}`, 'utf8');
    assert.equal(inject(utf8)?.toString('utf8'), `\ufeff${expected}`);
    const little = Buffer.from(`\ufeff${page}`, 'utf16le');
    assert.equal(inject(little)?.toString('utf16le'), `\ufeff${expected}`);
    const big = Buffer.from(`\ufeff${page}`, 'utf16le').swap16();
    assert.equal(inject(big)?.swap16().toString('utf16le'), `\ufeff${expected}`);
    assert.deepEqual(
      [utf8, little, Buffer.from(`\ufeff${page}`, 'utf16le').swap16()].map(
        (content) => insertionFor(documentOf(content), SRC)?.charset,
      ),
      ['utf-8', 'utf-16le', 'utf-16be'],
    );
  });

  const charsets: [what: string, content: string, charset: string | undefined][] = [
    ['a meta', '<meta charset="ISO-8859-1">', 'windows-1252'],
    ['an old meta', '<meta http-equiv="Content-Type" content="text/html; charset=Shift_JIS">', 'shift_jis'],
    ['a meta in the head', '<!doctype html><html><head><title>x</title><meta charset=utf-8>', 'utf-8'],
    ['none', '<!doctype html>', undefined],
    ['one that no browser knows', '<meta charset="klingon">', undefined],
    ['UTF-16 in ASCII', '<meta charset="utf-16">', 'utf-8'],
    ['one too far down', `<!--${'x'.repeat(1024)}--><meta charset="ISO-8859-1">`, undefined],
    ['one in a comment', '<!-- <meta charset="ISO-8859-1"> -->', undefined],
    ['one with line breaks', '<meta charset="utf-8\r\nX-Evil: 1">', undefined],
  ];
  for (const [what, content, charset] of charsets) {
    it(`${what}: ${charset ?? 'not said'}`, () => {
      assert.equal(insertionFor(documentOf(content), SRC)?.charset, charset);
    });
  }

  it('text is decoded by the same rules', () => {
    assert.equal(decodeDocument(Buffer.from('\ufeffä', 'utf8')), 'ä');
    assert.equal(decodeDocument(Buffer.from('\ufeffä', 'utf16le')), 'ä');
    assert.equal(
      decodeDocument(Buffer.concat([Buffer.from('<meta charset=latin1>'), Buffer.from([0xe4])])),
      '<meta charset=latin1>ä',
    );
    assert.equal(decodeDocument(Buffer.from('ä')), 'ä');
  });
});

describe('inject: hostile documents', () => {
  const n = 16 * 1024;
  const rows: [what: string, content: string, type?: string][] = [
    ['comments without end', '<!--'.repeat(n / 4)],
    ['many comments', '<!-- -->'.repeat(n / 8)],
    ['tags without end', '<html '.repeat(n / 6)],
    ['quotes', `<html ${'a="'.repeat(n / 3)}`],
    ['declarations', `<!DOCTYPE svg [${'<!-- -->'.repeat(n / 8)}`, 'image/svg+xml'],
    ['brackets', `<!DOCTYPE svg ${'['.repeat(n)}`, 'image/svg+xml'],
    ['instructions', '<?'.repeat(n / 2), 'image/svg+xml'],
    ['comments before a head', `<html>${'<!-- -->'.repeat(n / 8)}<body>`, 'application/xhtml+xml'],
    ['attributes', `<svg ${"a='\"' ".repeat(n / 6)}`, 'image/svg+xml'],
    ['white space', ' '.repeat(n), 'image/svg+xml'],
  ];
  for (const [what, content, type] of rows) {
    it(`${what}: in no time that grows with more than the document`, () => {
      const took = cpuTime(() => {
        inject(content, type);
      });
      // A beginning of 16 KiB takes milliseconds; one that is read again and again takes for ever.
      assert.ok(took < 1_000, `${took} ms`);
    });
  }
});
