import assert from 'node:assert/strict';
import { parseMimeTypes } from '../../../src/server/files/mimeTypesParser.js';
import { cpuTime } from '../../support/cpu.js';

type Pairs = Record<string, string>;

function read(text: string): Pairs | string {
  const parsed = parseMimeTypes(text);
  return 'reason' in parsed ? `${parsed.line}: ${parsed.reason}` : Object.fromEntries(parsed);
}

describe('mimeTypesFile: what can be read', () => {
  const html = { html: 'text/html', htm: 'text/html' };
  const rows: [what: string, text: string, types: Pairs][] = [
    ['nothing', '', {}],
    ['only white space and comments', ' \n\t# a comment\n#another\n', {}],
    ['Apache: a line', 'text/html html htm', html],
    [
      'Apache: tabs, blank lines, Windows line ends',
      '\r\n\ttext/html\t\thtml  htm\r\n\r\nimage/png png\r\n',
      { ...html, png: 'image/png' },
    ],
    ['Apache: a type without extensions', 'application/activemessage\ntext/html html htm\napplication/x\n', html],
    ['Apache: a comment at the end of a line', 'text/html html # htm\n', { html: 'text/html' }],
    ['Apache: a # within a word is part of it', 'text/x-csharp c#', { 'c#': 'text/x-csharp' }],
    ['Apache: no line end at the end', 'text/html html\nimage/png png', { html: 'text/html', png: 'image/png' }],
    ['a byte order mark', '\ufefftext/html html', { html: 'text/html' }],
    ['a byte order mark before a block', '\ufefftypes{text/html html;}', { html: 'text/html' }],
    ['extensions and types in capitals', 'Text/HTML HTML Htm', html],
    ['a leading dot', 'text/html .html .htm', html],
    [
      'more than one dot, as the list of Debian has some: of no use, and no harm',
      'application/x tar.gz cwl.json\ntext/html html htm',
      html,
    ],
    ['twice in a line', 'text/html html html htm', html],
    ['twice in a file: the last wins', 'text/plain html\ntext/html html htm\n', html],
    ['an extension in any language', 'text/x-data .データ', { データ: 'text/x-data' }],
    [
      'names of things that every object has',
      'text/a constructor\ntext/b tostring\n',
      { constructor: 'text/a', tostring: 'text/b' },
    ],
    ['nginx: a block', 'types {\n    text/html  html htm;\n    image/png  png;\n}\n', { ...html, png: 'image/png' }],
    [
      'nginx: statements over several lines, several in one',
      'types {\ntext/html\n  html\n  htm\n;image/png png;image/gif gif;}',
      { ...html, png: 'image/png', gif: 'image/gif' },
    ],
    ['nginx: everything close together', 'types{text/html html htm;}', html],
    [
      'nginx: comments anywhere',
      '# before\ntypes { # here\n# text/x x;\ntext/html html # }\nhtm; # ; }\n} # after\n',
      html,
    ],
    ['nginx: an empty block', 'types { }', {}],
    ['nginx: a type without extensions, and a ; too many', 'types { text/x; ; text/html html htm;; }', html],
    ['nginx: two blocks', 'types { text/html html; }\ntypes { text/html htm; }', html],
    ['nginx: twice, the last wins', 'types { text/plain html htm; text/html html htm; }', html],
    ['every character a type may have', 'a!#$&-^_.+1/b!#$&-^_.+2 x', { x: 'a!#$&-^_.+1/b!#$&-^_.+2' }],
  ];
  for (const [what, text, types] of rows) {
    it(what, () => {
      assert.deepEqual(read(text), types);
    });
  }

  it('40,000 words, and not one more', () => {
    const lines = Array.from(
      { length: 4_000 },
      (_, n) => `x/y${n} ${Array.from({ length: 9 }, (_unused, m) => `e${n}x${m}`).join(' ')}`,
    );
    assert.equal(Object.keys(read(lines.join('\n'))).length, 36_000);
    assert.equal(read([...lines, '', 'x/again'].join('\n')), '4002: there are more than 40000 words');
    assert.deepEqual(read(`types { ${';'.repeat(39_997)} }`), {});
    assert.equal(read(`types { ${';'.repeat(39_998)} }`), '1: there are more than 40000 words');
  });
});

describe('mimeTypesFile: what cannot', () => {
  const rows: [what: string, text: string, says: string][] = [
    ['a word that is no type', 'text/html html\n\nfoo bar\n', '3: "foo" is not a media type, like text/html'],
    ['a type without subtype', 'text/ html', '1: "text/" is not a media type, like text/html'],
    ['a type with two slashes', 'text/html/x html', '1: "text/html/x" is not a media type, like text/html'],
    [
      'a type that is too long',
      `text/${'x'.repeat(200)} x`,
      `1: "text/${'x'.repeat(55)}..." is not a media type, like text/html`,
    ],
    ['a type in another script', 'text/hтml html', '1: "text/h\\xd1\\x82ml" is not a media type, like text/html'],
    [
      'Apache: two types in a line',
      '# x\ntext/html html text/css css',
      '2: "text/css" is not an extension: each type needs a line of its own',
    ],
    ['Apache: an extension that begins the line', 'html text/html', '1: "html" is not a media type, like text/html'],
    ['Apache: a ;', 'text/html html;\n', '1: a ; belongs only into types { … }'],
    ['Apache: a block within', 'text/html html\ntypes { }\n', '2: "types" is not a media type, like text/html'],
    ['Apache: a }', 'text/html html\n}\n', '2: a } belongs only into types { … }'],
    ['two leading dots', 'text/html ..html', '1: "..html" is not an extension'],
    ['a dot behind', 'text/html html.', '1: "html." is not an extension'],
    ['a dot alone', 'text/html .', '1: "." is not an extension'],
    ['a long extension', `text/html ${'x'.repeat(65)}`, `1: "${'x'.repeat(60)}..." is not an extension`],
    ['an extension with a slash', 'text/html a/b', '1: "a/b" is not an extension: each type needs a line of its own'],
    [
      'nginx: no ;',
      'types {\n  text/html html\n  text/css css;\n}',
      '3: "text/css" is not an extension: is a ; missing before it?',
    ],
    ['nginx: no ; at the end', 'types {\n  text/html html\n}', '3: a ; is missing before the }'],
    ['nginx: no }', '\ntypes {\n  text/html html;\n', '2: the { of types has no }'],
    ['nginx: no } and no ;', 'types { text/html html', '1: the { of types has no }'],
    ['nginx: no {', 'types\ntext/html html;', '1: types is not followed by {'],
    ['nginx: nothing but types', 'types', '1: types is not followed by {'],
    ['nginx: a { too many', 'types {\n{ text/html html; }', '2: there is a { too many'],
    ['nginx: a } too many', 'types { text/html html; }\n}', '2: "}" stands outside types { … }'],
    ['nginx: something else', 'types { }\n\ndefault_type text/plain;', '3: "default_type" stands outside types { … }'],
    [
      'nginx: a statement with a word that is no type',
      'types {\n\n  default text/plain;\n}',
      '3: "default" is not a media type, like text/html',
    ],
    ['a whole configuration', 'http {\n types { }\n}', '1: "http" is not a media type, like text/html'],
    ['another file', '<!doctype html>\n<title>x</title>', '1: "<!doctype" is not a media type, like text/html'],
    [
      'words that would speak to a terminal',
      '\u001b]52;c;aGk=\u0007 x',
      '1: "\\x1b]52" is not a media type, like text/html',
    ],
    [
      'and words that would turn the text',
      'text/html \u202e/gnp',
      '1: "\\xe2\\x80\\xae/gnp" is not an extension: each type needs a line of its own',
    ],
  ];
  for (const [what, text, says] of rows) {
    it(`${what}: ${says}`, () => {
      assert.equal(read(text), says);
    });
  }
});

describe('mimeTypesFile: 1 MiB of anything', () => {
  const size = 1024 * 1024;
  const fill = (unit: string): string => unit.repeat(Math.ceil(size / unit.length)).slice(0, size);
  let n = 0;
  const rows: [what: string, text: string][] = [
    ['one word', fill('x')],
    ['one type', `text/${fill('x')}`],
    ['short words', `text/html ${fill('a ')}`],
    [
      'words that all differ',
      `text/html ${Array.from({ length: size / 6 }, () => (n++).toString(36).padStart(5, '0')).join(' ')}`,
    ],
    ['spaces', fill(' ')],
    ['line ends', fill('\n')],
    ['comments', fill('#\n')],
    ['one comment', fill('#')],
    ['slashes', fill('/')],
    ['types', fill('a/b\n')],
    ['types and dots', fill('a/b .c .d\n')],
    ['semicolons', `types {${fill(';')}`],
    ['statements', `types {${fill('a/b c;')}`],
    ['braces', fill('types{}')],
    ['no end', `types {${fill('a/b ab c d; ')}`],
    ['characters of many bytes', fill('a/b \u{1f600}\n')],
    ['a type with every sign', fill("!#$%&'*+.^_`|~")],
  ];
  for (const [what, text] of rows) {
    it(`${what}: in under 50 ms`, () => {
      // The best of three: what the collector has to do for other tests is not counted.
      const spent = Math.min(
        ...[1, 2, 3].map(() =>
          cpuTime(() => {
            parseMimeTypes(text);
          }),
        ),
      );
      assert.ok(spent < 50, `${spent.toFixed(1)} ms`);
    });
  }
});
