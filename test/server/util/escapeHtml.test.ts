import assert from 'node:assert/strict';
import { escapeHtml } from '../../../src/server/util/escapeHtml.js';

describe('html', () => {
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
