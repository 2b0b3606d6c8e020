import assert from 'node:assert/strict';
import { escapeHtml, escapeLogField, jsonLogField, plainLine } from '../../../src/server/util/printable.js';

describe('printable: escapeHtml', () => {
  const rows: [text: string, html: string][] = [
    ['', ''],
    ['plain text, 1 + 1', 'plain text, 1 + 1'],
    ['é 😀 漢字', 'é 😀 漢字'],
    ['<svg/onload=1>', '&lt;svg/onload=1&gt;'],
    ['<img src=x onerror=alert(1)>', '&lt;img src=x onerror=alert(1)&gt;'],
    ['" onmouseover="x', '&quot; onmouseover=&quot;x'],
    ["' onmouseover='x", '&#39; onmouseover=&#39;x'],
    ['&amp; &lt;', '&amp;amp; &amp;lt;'],
    ['</code></dd><script>', '&lt;/code&gt;&lt;/dd&gt;&lt;script&gt;'],
    ['a\0b', 'a\\u0000b'],
    ['a\r\nb\tc', 'a\\u000d\\u000ab\\u0009c'],
    ['\u001b[31m', '\\u001b[31m'],
    ['\u007f\u0085\u009f', '\\u007f\\u0085\\u009f'],
    // What turns the reading direction, or is not to be seen.
    ['photo\u202egpj.exe', 'photo\\u202egpj.exe'],
    [
      '\u200b\u200e\u200f\u061c\u2028\u2029\u202a\u2066\u2069\ufeff',
      '\\u200b\\u200e\\u200f\\u061c\\u2028\\u2029\\u202a\\u2066\\u2069\\ufeff',
    ],
  ];
  for (const [text, html] of rows) {
    it(`${JSON.stringify(text)} → ${JSON.stringify(html)}`, () => {
      assert.equal(escapeHtml(text), html);
    });
  }

  it('no character of the first ones comes out raw that could end a text, an attribute or a line', () => {
    for (let code = 0; code < 0x100; code++) {
      const html = escapeHtml(String.fromCharCode(code));
      assert.doesNotMatch(
        html.replace(/^&(?:amp|lt|gt|quot|#39);$/, ''),
        // eslint-disable-next-line no-control-regex -- control characters are what is looked for
        /[<>"'&\u0000-\u001f\u007f-\u009f]/,
        `U+${code.toString(16)}`,
      );
    }
  });
});

describe('printable: escapeLogField', () => {
  const rows: [text: string, escaped: string][] = [
    ['plain /a%20b?c', 'plain /a%20b?c'],
    ['say "hi"', 'say \\"hi\\"'],
    ['a\\b', 'a\\\\b'],
    ['a\nb', 'a\\x0ab'],
    ['a\r\n127.0.0.1 - - [forged]', 'a\\x0d\\x0a127.0.0.1 - - [forged]'],
    ['\u001b]52;c;aGk=\u0007', '\\x1b]52;c;aGk=\\x07'],
    ['\u009b31m', '\\xc2\\x9b31m'],
    ['\u202e', '\\xe2\\x80\\xae'],
    ['é', '\\xc3\\xa9'],
    ['😀', '\\xf0\\x9f\\x98\\x80'],
    ['\u007f', '\\x7f'],
    ['\t', '\\x09'],
    ['', ''],
  ];
  for (const [text, escaped] of rows) {
    it(`${JSON.stringify(text)} → ${escaped}`, () => {
      assert.equal(escapeLogField(text), escaped);
    });
  }

  it('the characters of a header field are its bytes', () => {
    assert.equal(escapeLogField('\xc3\xa9 \xff', 'latin1'), '\\xc3\\xa9 \\xff');
  });

  it('a long field is cut, and says so', () => {
    assert.equal(escapeLogField('x'.repeat(1_024)), 'x'.repeat(1_024));
    const cut = escapeLogField('x'.repeat(100_000));
    assert.ok(cut.length < 1_100 && cut.endsWith('...'));
  });

  it('never in the middle of an escape', () => {
    for (const letter of ['\\', '"', '\n', 'é', '😀']) {
      for (let before = 0; before < 13; before++) {
        const cut = escapeLogField('x'.repeat(before) + letter.repeat(2_000));
        assert.match(
          cut,
          /^(?:[^"\\]|\\["\\]|\\x[0-9a-f]{2})*\.\.\.$/,
          `${before} letters, then ${JSON.stringify(letter)}: ${cut.slice(-12)}`,
        );
      }
    }
  });
});

describe('printable: plainLine', () => {
  const rows: [text: string, line: string][] = [
    ['日本語 😀 "quoted" <b>', '日本語 😀 "quoted" <b>'],
    ['a\r\n2026 [info] forged\u001b]52;', 'a\\u000d\\u000a2026 [info] forged\\u001b]52;'],
    ['\ud800x\udc00', '\\ud800x\\udc00'],
  ];
  for (const [text, line] of rows) {
    it(`${JSON.stringify(text)} → ${line}`, () => {
      assert.equal(plainLine(text), line);
    });
  }

  it('a long line is cut, and says so', () => {
    assert.equal(plainLine('x'.repeat(1_024)), 'x'.repeat(1_024));
    assert.equal(plainLine('x'.repeat(5_000)), `${'x'.repeat(1_024)}…`);
    assert.equal(plainLine('xyz', 2), 'xy…');
    assert.ok(plainLine('\n'.repeat(5_000)).length <= 1_025);
  });
});

describe('printable: jsonLogField', () => {
  const rows: [text: string, json: string][] = [
    ['', '""'],
    ['plain /a?b', '"plain /a?b"'],
    ['"\\', '"\\"\\\\"'],
    ['é 😀 漢字', '"é 😀 漢字"'],
    ['\n\u202e\udb40\udc01', '"\\u000a\\u202e\\udb40\\udc01"'],
    ['\ud800', '"\\ud800"'],
  ];
  for (const [text, json] of rows) {
    it(`${JSON.stringify(text)} → ${json}`, () => {
      assert.equal(jsonLogField(text, 100), json);
      assert.equal(JSON.parse(json), text);
    });
  }

  it('is cut to so many bytes, never within a character or an escape', () => {
    for (const letter of ['x', 'é', '😀', '\n', '"'])
      for (let longest = 0; longest < 12; longest++) {
        const cut = jsonLogField(letter.repeat(20), longest);
        assert.ok(Buffer.byteLength(cut) <= longest + '"..."'.length, cut);
        assert.match(JSON.parse(cut) as string, new RegExp(`^(?:${letter})*\\.\\.\\.$`, 'u'));
      }
  });
});

describe('printable: one set of what is invisible', () => {
  const invisible: [what: string, first: number, last: number][] = [
    ['C0', 0x00, 0x1f],
    ['delete and C1', 0x7f, 0x9f],
    ['soft hyphen', 0xad, 0xad],
    ['Arabic letter mark', 0x61c, 0x61c],
    ['Mongolian vowel separator', 0x180e, 0x180e],
    ['zero width, marks of direction', 0x200b, 0x200f],
    ['separators, embeddings, overrides', 0x2028, 0x202e],
    ['joiners, isolates, what is deprecated', 0x2060, 0x206f],
    ['byte order mark', 0xfeff, 0xfeff],
    ['interlinear annotation', 0xfff9, 0xfffb],
    ['lone surrogates', 0xd800, 0xdfff],
    ['language tag', 0xe0001, 0xe0001],
    ['tags', 0xe0020, 0xe007f],
  ];
  const writers: [name: string, write: (text: string) => string][] = [
    ['escapeHtml', escapeHtml],
    ['plainLine', plainLine],
    ['jsonLogField', (text) => jsonLogField(text, 100)],
    ['escapeLogField', escapeLogField],
  ];
  for (const [name, write] of writers)
    for (const [what, first, last] of invisible)
      it(`${name} shows ${what}`, () => {
        for (let code = first; code <= last; code++)
          assert.match(
            write(`a${String.fromCodePoint(code)}b`),
            /^"?a(?:\\[ux][0-9a-f]{2,4})+b"?$/,
            `U+${code.toString(16)}`,
          );
      });

  it('what can be seen stays', () => {
    for (const text of ['a b', 'ä', 'ß', '\u00a0', '漢字', 'עברית', 'العربية', '😀', '❤\ufe0f', 'e\u0301'])
      for (const write of [escapeHtml, plainLine]) assert.equal(write(text), text);
  });
});
