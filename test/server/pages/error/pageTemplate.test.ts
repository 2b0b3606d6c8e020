import assert from 'node:assert/strict';
import { parse, type DefaultTreeAdapterTypes } from 'parse5';
import { createErrorTemplate, type TemplateValues } from '../../../../src/server/pages/error/pageTemplate.js';
import { sized } from '../../../support/sized.js';

const VALUES: TemplateValues = {
  status: '404',
  reason: 'Not Found',
  method: 'GET',
  path: '/a/b.html',
  allow: '',
  root: 'www/html',
};

async function expand(
  page: string | Buffer,
  {
    values = {},
    depth = 0,
    type = 'text/html',
  }: { values?: Partial<TemplateValues>; depth?: number; type?: string } = {},
): Promise<string | undefined> {
  const template = await createErrorTemplate(Buffer.from(page as string), type);
  return template?.expand({ ...VALUES, ...values }, depth).toString('utf8');
}

describe('errorTemplate: placeholders', () => {
  const rows: [what: string, page: string, values: Partial<TemplateValues>, shown: string][] = [
    [
      'every name',
      '{{status}}|{{reason}}|{{method}}|{{path}}|{{allow}}|{{root}}',
      { allow: 'GET, HEAD' },
      '404|Not Found|GET|/a/b.html|GET, HEAD|www/html',
    ],
    ['spaces and tabs inside the braces', '{{ status }}|{{\tpath  }}', {}, '404|/a/b.html'],
    ['one twice, side by side', '{{status}}{{status}}', {}, '404404'],
    ['what is not known', '[{{allow}}]', {}, '[]'],
    [
      'another language’s',
      '{{ title }} {{#if status}} {{status.code}} {{Status}} {{status',
      {},
      '{{ title }} {{#if status}} {{status.code}} {{Status}} {{status',
    ],
    ['three braces', '{{{path}}} {{{{path}}}} {{{path}} {{path}}}', {}, '{{{path}}} {{{{path}}}} {{{path}} {{path}}}'],
    ['a line break inside the braces', '{{\npath\n}}', {}, '{{\npath\n}}'],
    ['names that are in every object', '{{constructor}} {{__proto__}}', {}, '{{constructor}} {{__proto__}}'],
    [
      'markup in a value',
      '<p title="{{path}}">{{path}}</p>',
      { path: '/"><svg onload=1>\'&' },
      '<p title="/&quot;&gt;&lt;svg onload=1&gt;&#39;&amp;">/&quot;&gt;&lt;svg onload=1&gt;&#39;&amp;</p>',
    ],
    ['a placeholder in a value', '{{path}}', { path: '/{{root}}{{status}}' }, '/{{root}}{{status}}'],
    [
      'a placeholder that values would make together',
      '{{path}}{{method}}',
      { path: '/{{', method: 'root}}' },
      '/{{root}}',
    ],
    ['a replacement pattern in a value', '{{path}}!', { path: "/$&$1$`$'" }, '/$&amp;$1$`$&#39;!'],
    ['controls and a turned reading direction', '{{path}}', { path: '/\u0000\u001b\u202e' }, '/\\u0000\\u001b\\u202e'],
    ['letters of the world', 'ü {{path}} 日', { path: '/ä/日本' }, 'ü /ä/日本 日'],
    ['no placeholder at all', '<h1>gone</h1>', {}, '<h1>gone</h1>'],
    ['an empty page', '', {}, ''],
  ];
  for (const [what, page, values, shown] of rows) {
    it(what, async () => {
      assert.equal(await expand(page, { values }), shown);
    });
  }

  it('in XHTML, a value has no character that XML has no place for', async () => {
    const type = 'application/xhtml+xml';
    assert.equal(
      await expand('<p>{{path}}</p>', { type, values: { path: '/\uffff\ufffe<\u0001' } }),
      '<p>/\ufffd\ufffd&lt;\\u0001</p>',
    );
  });

  it('a value that is asked for often is escaped once', async () => {
    const template = await createErrorTemplate(Buffer.from('{{path}}'.repeat(20_000)), 'text/html');
    const before = process.cpuUsage();
    const page = template?.expand({ ...VALUES, path: '&<>"'.repeat(75) }, 0);
    assert.ok(process.cpuUsage(before).user < 300_000, `${process.cpuUsage(before).user} µs`);
    assert.equal(page?.length, 20_000 * 75 * (5 + 4 + 4 + 6));
  });

  it('knows how many placeholders it has', async () => {
    for (const [page, count] of [
      ['', 0],
      ['{{path}}', 1],
      ['<html lang={{status}}><head>{{path}}{{root}} {{other}}', 3],
    ] as const) {
      assert.equal((await createErrorTemplate(Buffer.from(page), 'text/html'))?.placeholders, count, page);
    }
  });

  const asIs: [what: string, page: Buffer, type: string][] = [
    ['plain text', Buffer.from('{{status}}'), 'text/plain'],
    ['a style sheet', Buffer.from('{{status}}'), 'text/css'],
    ['a drawing', Buffer.from('<svg>{{status}}</svg>'), 'image/svg+xml'],
    ['UTF-16', Buffer.from('\ufeff{{status}}', 'utf16le'), 'text/html'],
    ['latin1', Buffer.from('{{status}} \xfc', 'latin1'), 'text/html'],
  ];
  for (const [what, page, type] of asIs) {
    it(`${what}: no template`, async () => {
      assert.equal(await createErrorTemplate(page, type), undefined);
    });
  }
});

describe('errorTemplate: links from any depth', () => {
  const B = '<base href="../../">';
  const rows: [what: string, page: string, shown: string][] = [
    [
      'behind the tag of the head',
      '<!doctype html>\n<html lang="en">\n<head>\n<title>x</title></head>',
      `<!doctype html>\n<html lang="en">\n<head>${B}\n<title>x</title></head>`,
    ],
    [
      'behind all of a head’s attributes',
      '<head data-x="a>b" class=c><link rel=stylesheet href=s.css>',
      `<head data-x="a>b" class=c>${B}<link rel=stylesheet href=s.css>`,
    ],
    ['in capitals', '<!DOCTYPE HTML><HTML><HEAD><TITLE>x</TITLE>', `<!DOCTYPE HTML><HTML><HEAD>${B}<TITLE>x</TITLE>`],
    ['no head: behind html', '<!doctype html><html lang=en><body>x', `<!doctype html><html lang=en>${B}<body>x`],
    ['no html: behind the doctype', '<!doctype html>\n<title>x</title>', `<!doctype html>${B}\n<title>x</title>`],
    ['nothing but content', '<h1>gone</h1>', `${B}<h1>gone</h1>`],
    ['nothing but text', 'gone', `${B}gone`],
    ['an empty page', '', B],
    [
      'comments first',
      '<!-- a <head> --><!doctype html><!-- b --><head><title>x</title>',
      `<!-- a <head> --><!doctype html><!-- b --><head>${B}<title>x</title>`,
    ],
    [
      'Windows line ends',
      '<!doctype html>\r\n<html>\r\n<head>\r\n<title>ü</title>',
      `<!doctype html>\r\n<html>\r\n<head>${B}\r\n<title>ü</title>`,
    ],
    ['a byte order mark stays first', '\ufeff<!doctype html><head>', `\ufeff<!doctype html><head>${B}`],
    ['letters beyond the first plane before it', '<!-- 😀😀 --><head>', `<!-- 😀😀 --><head>${B}`],
    ['a head that comes too late is none', '<p>x<head>', `${B}<p>x<head>`],
    ['… behind text', 'x<head>', `${B}x<head>`],
    ['… behind a NUL', '\0<head>', `${B}\0<head>`],
    ['… behind the end of what had not begun', '</html><head>', `${B}</html><head>`],
    [
      'a doctype that comes too late is none',
      '<head><!doctype html><title>x</title>',
      `<head>${B}<!doctype html><title>x</title>`,
    ],
    ['a second html is none', '<html><body><html><head>', `<html>${B}<body><html><head>`],
    ['a header is no head', '<header>x</header>', `${B}<header>x</header>`],
    [
      'a placeholder in the tags before it',
      '<html lang="{{status}}"><head>{{status}}',
      `<html lang="404"><head>${B}404`,
    ],
    ['a base with a target only', '<head><base target=_top>', `<head>${B}<base target=_top>`],
    [
      'something that looks like a base in a script',
      '<head><script>var s = "<base href=x>"</script>',
      `<head>${B}<script>var s = "<base href=x>"</script>`,
    ],
    ['… in a title', '<head><title><base href=x></title>', `<head>${B}<title><base href=x></title>`],
    ['… in a style sheet', '<head><style>/*<base href=x>*/</style>', `<head>${B}<style>/*<base href=x>*/</style>`],
    ['… in a noscript', '<head><noscript><base href=x></noscript>', `<head>${B}<noscript><base href=x></noscript>`],
    ['… in a comment', '<head><!-- <base href=x> -->', `<head>${B}<!-- <base href=x> -->`],
    ['… in a template', '<head><template><base href=x></template>', `<head>${B}<template><base href=x></template>`],
    ['… in an attribute', '<head><meta content="<base href=x>">', `<head>${B}<meta content="<base href=x>">`],
    ['its own base', '<head><base href="/x/"><title>x</title>', '<head><base href="/x/"><title>x</title>'],
    [
      'its own base, in capitals and late',
      '<head><meta charset=utf-8><script>"</"</script><BASE HREF=x>',
      '<head><meta charset=utf-8><script>"</"</script><BASE HREF=x>',
    ],
    [
      'its own base behind a template',
      '<head><template></template><base href=x>',
      '<head><template></template><base href=x>',
    ],
    [
      'its own base behind a drawing with a title that is not closed',
      '<svg><title/></svg><base href=x>',
      '<svg><title/></svg><base href=x>',
    ],
    ['its own base in the body', '<body><p>x<base href=x>', '<body><p>x<base href=x>'],
    ['its own base, for the page to fill in', '<head><base href="/{{root}}/">', '<head><base href="/www/html/">'],
  ];
  for (const [what, page, shown] of rows) {
    it(what, async () => {
      assert.equal(await expand(page, { depth: 2 }), shown);
      assert.equal(
        await expand(page),
        page.replaceAll('{{status}}', '404').replaceAll('{{root}}', 'www/html'),
        'nothing at the site’s root',
      );
    });
  }

  it('the page means the same as before, with one base first in its head', async () => {
    for (const [, page] of rows) {
      const before = parse((await expand(page)) as string);
      const after = parse((await expand(page, { depth: 2 })) as string);
      const bases = elementsOf(after).filter(
        ({ nodeName, attrs }) => nodeName === 'base' && attrs.some(({ name }) => name === 'href'),
      );
      assert.equal(bases.length, 1, page);
      assert.deepEqual(
        names(after).filter((name) => name !== 'base'),
        names(before).filter((name) => name !== 'base'),
        page,
      );
      assert.equal(after.mode, before.mode, `${page}: no other way of drawing it`);
    }
  });

  const xhtml: [what: string, page: string, shown: string][] = [
    [
      'in the head',
      '<?xml version="1.0"?>\n<html xmlns="x"><head><title>x</title></head></html>',
      '<?xml version="1.0"?>\n<html xmlns="x"><head><base href="../../"/><title>x</title></head></html>',
    ],
    [
      'a script that closes itself hides nothing',
      '<html><head><script src="a"/><base href="x"/></head></html>',
      '<html><head><script src="a"/><base href="x"/></head></html>',
    ],
    [
      'a CDATA section is text',
      '<html><head><script><![CDATA[ "<base href=x>" ]]></script></head></html>',
      '<html><head><base href="../../"/><script><![CDATA[ "<base href=x>" ]]></script></head></html>',
    ],
    [
      '… up to its end',
      '<html><head><style><![CDATA[ a > b <base href="x"/> ]]></style></head></html>',
      '<html><head><base href="../../"/><style><![CDATA[ a > b <base href="x"/> ]]></style></head></html>',
    ],
    ['a head with nothing in it', '<html><head/><body/></html>', '<html><head/><body/></html>'],
    ['no head', '<html><body/></html>', '<html><body/></html>'],
  ];
  for (const [what, page, shown] of xhtml) {
    it(`XHTML: ${what}`, async () => {
      assert.equal(await expand(page, { depth: 2, type: 'application/xhtml+xml' }), shown);
    });
  }

  const beginnings: [what: string, page: (filling: string) => string, shown: (filling: string) => string][] = [
    [
      'a comment in the head',
      (filling) => `<head><!--${filling}--><base href=x>`,
      (filling) => `<head>${B}<!--${filling}--><base href=x>`,
    ],
    ['a head that begins in time', (filling) => `<html><head>${filling}`, (filling) => `<html><head>${B}${filling}`],
    [
      'a doctype and one tag',
      (filling) => `<!doctype html><html ${filling}><head>`,
      (filling) => `<!doctype html>${B}<html ${filling}><head>`,
    ],
    [
      'nothing from which the place could be told',
      (filling) => `<!--${filling}--><!doctype html><head>`,
      (filling) => `<!--${filling}--><!doctype html><head>`,
    ],
  ];
  for (const [what, page, shown] of beginnings) {
    it(`only the beginning is looked at: ${what}`, async () => {
      const filling = 'x '.repeat(40_000);
      assert.equal(await expand(page(filling), { depth: 2 }), shown(filling));
    });
  }

  it('a page of a megabyte that is one tag', async () => {
    const page = `<!doctype html><p ${Array.from({ length: 200_000 }, (_, n) => n.toString(36)).join(' ')}>`;
    await expand(page.slice(0, 40_000), { depth: 1 });
    const before = process.cpuUsage();
    await expand(page, { depth: 1 });
    assert.ok(process.cpuUsage(before).user < 250_000, `${process.cpuUsage(before).user} µs`);
  });

  it('a large page made to be slow is read in no time that anybody would notice', async () => {
    const pieces = [
      '<',
      '<div>',
      '<b>',
      '<a href=x>',
      '<!--',
      '{{',
      '{{ ',
      '{',
      '<svg>',
      '<template>',
      '</',
      '\0',
      '&',
      '<base ',
      '<script><!--<script>',
      '<html>',
      '\r',
      '<title>',
      '<!doctype ',
    ];
    const length = sized(65_536, 262_144);
    const pages = [
      ...pieces.map((piece) => piece.repeat(Math.floor(length / piece.length))),
      `<p ${Array.from({ length: length / 6 }, (_, n) => `a${n}`).join(' ')}>`,
      `{{${' '.repeat(length)}`,
    ];
    for (const page of pages) {
      const before = process.cpuUsage();
      await expand(page, { depth: 1 });
      assert.ok(process.cpuUsage(before).user < sized(200_000, 600_000), JSON.stringify(page.slice(0, 20)));
    }
  });
});

function elementsOf(root: DefaultTreeAdapterTypes.Document): DefaultTreeAdapterTypes.Element[] {
  const found: DefaultTreeAdapterTypes.Element[] = [];
  const open: DefaultTreeAdapterTypes.Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if ('tagName' in node) found.push(node);
    if ('childNodes' in node) open.push(...[...node.childNodes].reverse());
  }
  return found;
}

function names(root: DefaultTreeAdapterTypes.Document): string[] {
  return elementsOf(root).map(({ tagName, attrs }) =>
    tagName === 'base' ? tagName : `${tagName} ${JSON.stringify(attrs)}`,
  );
}
