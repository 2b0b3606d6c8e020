import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { until } from '../../support/site.js';
import { openPage, reloaded, see, startLivePage, type LiveSite } from '../livePage.js';

const page = (body: string, head = ''): string =>
  `<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>Page</title>\n${head}</head>\n<body>\n${body}\n</body>\n</html>\n`;

async function open(body: string, head = ''): Promise<{ site: LiveSite; tab: Page }> {
  const site = await startLivePage({ 'index.html': page(body, head) });
  return { site, tab: await openPage(site) };
}

describe('an edit of the page itself', () => {
  const edits: readonly (readonly [name: string, before: string, after: string, expression: string])[] = [
    [
      'text',
      '<p>one</p><p>two</p>',
      '<p>one</p><p>three</p>',
      "document.querySelectorAll('p')[1].textContent === 'three'",
    ],
    [
      'an added element',
      '<p>one</p>',
      '<p>one</p><h2 id=new>two</h2>',
      "document.querySelector('p + h2#new').textContent === 'two'",
    ],
    [
      'a removed element',
      '<p>one</p><h2>two</h2><p>three</p>',
      '<p>one</p><p>three</p>',
      "!document.querySelector('h2') && document.querySelectorAll('p').length === 2",
    ],
    [
      'an attribute',
      '<p class=a title=x>one</p>',
      '<p class=b lang=de>one</p>',
      'document.querySelector(\'p\').outerHTML === \'<p class="b" lang="de">one</p>\'',
    ],
    [
      'a style element',
      '<style>p { color: red }</style><p>one</p>',
      '<style>p { color: rgb(1, 2, 3) }</style><p>one</p>',
      "getComputedStyle(document.querySelector('p')).color === 'rgb(1, 2, 3)'",
    ],
    [
      'a wrapper around everything',
      '<p id=a>one</p><p id=b>two</p>',
      '<main><p id=a>one</p><p id=b>two</p></main>',
      "document.querySelectorAll('body > main > p').length === 2 && document.querySelectorAll('p').length === 2",
    ],
    [
      'an event handler',
      '<button onclick="window.n = 1">x</button>',
      '<button onclick="window.n = 2">x</button>',
      "(document.querySelector('button').click(), window.n === 2)",
    ],
    [
      'an odd name of an attribute',
      '<p @click="a">x</p>',
      '<p @click="b">x</p>',
      "document.querySelector('p').getAttribute('@click') === 'b'",
    ],
    [
      'a template',
      '<template><p>1</p></template>',
      '<template><p>2</p></template>',
      "document.querySelector('template').content.textContent === '2'",
    ],
    [
      'an SVG drawing',
      '<svg><circle r="1"/></svg>',
      '<svg><circle r="2"/><path d="M0 0"/></svg>',
      "document.querySelector('circle').r.baseVal.value === 2 && document.querySelector('path') instanceof SVGPathElement",
    ],
    [
      'a tag that is not closed',
      '<ul><li>a<li>b</ul>',
      '<ul><li>a<li><b>b</ul>',
      "document.querySelector('li + li b').textContent === 'b'",
    ],
  ];
  for (const [name, before, after, expression] of edits) {
    it(`${name}: shown without a reload`, async () => {
      const { site, tab } = await open(before);
      await site.write('index.html', page(after));
      await see(tab, expression);
      assert.equal(await reloaded(tab), false);
    });
  }

  it('a form whose fields are called like its properties', async () => {
    const fields = [
      'children',
      'attributes',
      'childNodes',
      'firstChild',
      'nextSibling',
      'nodeName',
      'nodeType',
      'parentNode',
      'id',
    ]
      .map((name) => `<input name=${name}>`)
      .join('');
    const { site, tab } = await open(`<form class=a><b>one</b>${fields}</form>`);
    await tab.fill('[name=children]', 'typed');
    await site.write(
      'index.html',
      page(`<h1>new</h1><form class=b><i>three</i><b>two</b>${fields}<input name=more></form>`),
    );
    await see(
      tab,
      "document.querySelector('form.b > b').textContent === 'two' && document.querySelector('form > i') && document.querySelector('h1') && document.querySelectorAll('input').length === 10",
    );
    assert.deepEqual([await reloaded(tab), await tab.inputValue('[name=children]')], [false, 'typed']);
  });

  it('a base and a header that are typed: not before they are saved', async () => {
    const { site, tab } = await open('<p>one</p>');
    const typed = page('<p>two</p>', '<base href="/elsewhere/"><meta http-equiv="refresh" content="0; url=/gone">');
    site.type('index.html', typed);
    await see(tab, "document.querySelector('p').textContent === 'two'");
    assert.deepEqual(await tab.evaluate("[window.marker, document.querySelectorAll('base, [http-equiv]').length]"), [
      true,
      0,
    ]);
  });

  it('title, language, meta and class of the body', async () => {
    const { site, tab } = await open('x', '<meta name="description" content="a">');
    await site.write(
      'index.html',
      page('x', '<meta name="description" content="b">')
        .replace('<title>Page', '<title>Other')
        .replace('lang="en"', 'lang="de"')
        .replace('<body>', '<body class="dark">'),
    );
    await see(
      tab,
      "document.title === 'Other' && document.documentElement.lang === 'de' && document.body.className === 'dark' && document.querySelector('meta[name]').content === 'b'",
    );
    assert.equal(await reloaded(tab), false);
  });

  it('leaves what the user and scripts have done', async () => {
    const filler = '<p>line</p>\n'.repeat(60);
    const body = (text: string): string => `<h1>${text}</h1>
      <input id=name><textarea></textarea><input type=checkbox class=box><input type=radio name=r value=1><input type=radio name=r value=2 checked>
      <select><option>a<option>b</select>
      <details><summary>s</summary>inside</details>
      <div class="card">text</div><ul><li>1</li><li>2</li></ul>${filler}`;
    const { site, tab } = await open(body('one'));
    await tab.fill('#name', 'half-typed');
    await tab.fill('textarea', 'some text');
    await tab.check('.box');
    await tab.check('[name=r]');
    await tab.selectOption('select', 'b');
    await tab.evaluate(`
      document.querySelector('details').open = true;
      document.querySelector('.card').classList.add('made-by-script');
      document.querySelector('.card').style.opacity = '0.5';
      document.querySelector('ul').prepend(Object.assign(document.createElement('li'), { textContent: 'inserted' }));
      document.body.prepend(Object.assign(document.createElement('h1'), { textContent: 'banner' }));
      document.querySelector('textarea').focus();
      document.querySelector('textarea').setSelectionRange(2, 5);
      scrollTo(0, 300);
      document.querySelector('ul').lastElementChild.remove();
    `);
    await site.write(
      'index.html',
      page(
        body('two')
          .replace('class="card"', 'class="card wide" style="color: red"')
          .replace('<li>1</li>', '<li>1</li><li>1.5</li>')
          .replace('<input id=name>', '<label>new</label> <input id=name>'),
      ),
    );
    await see(tab, "document.querySelectorAll('h1')[1].textContent === 'two'");
    assert.deepEqual(
      await tab.evaluate(`({
      marker: window.marker,
      name: document.querySelector('#name').value,
      label: document.querySelector('label').textContent,
      text: document.querySelector('textarea').value,
      box: document.querySelector('.box').checked,
      radio: document.querySelector('[name=r]').checked,
      select: document.querySelector('select').value,
      open: document.querySelector('details').open,
      card: document.querySelector('.card').className,
      style: document.querySelector('.card').style.cssText,
      items: [...document.querySelectorAll('li')].map((item) => item.textContent),
      banner: document.querySelector('h1').textContent,
      focus: document.activeElement.localName,
      selection: [document.activeElement.selectionStart, document.activeElement.selectionEnd],
      scrolled: scrollY > 200,
    })`),
      {
        marker: true,
        name: 'half-typed',
        label: 'new',
        text: 'some text',
        box: true,
        radio: true,
        select: 'b',
        open: true,
        card: 'card made-by-script wide',
        style: 'opacity: 0.5; color: red;',
        items: ['inserted', '1', '1.5'],
        banner: 'banner',
        focus: 'textarea',
        selection: [2, 5],
        scrolled: true,
      },
    );
  });

  it('a value that the author changes counts for more than what was typed', async () => {
    const { site, tab } = await open('<input value=a><textarea>a</textarea><input type=checkbox>');
    await tab.fill('input', 'typed');
    await tab.fill('textarea', 'typed');
    await site.write('index.html', page('<input value=b><textarea>b</textarea><input type=checkbox checked>'));
    await see(
      tab,
      "document.querySelector('input').value === 'b' && document.querySelector('textarea').value === 'b' && document.querySelector('[type=checkbox]').checked",
    );
    assert.equal(await reloaded(tab), false);
  });

  it('elements that move are moved, not made anew', async () => {
    const items = ['a', 'b', 'c', 'd'].map((id) => `<li id=${id}><input></li>`);
    const { site, tab } = await open(`<ul>${items.join('\n')}</ul>`);
    await tab.fill('#d input', 'in d');
    await tab.focus('#d input');
    await tab.evaluate("window.d = document.querySelector('#d')");
    await site.write('index.html', page(`<ul>${[items[3], ...items.slice(0, 3)].join('\n')}</ul>`));
    await see(tab, "document.querySelector('li').id === 'd'");
    assert.deepEqual(
      await tab.evaluate(
        "[window.d === document.querySelector('#d'), document.activeElement.value, document.querySelectorAll('li').length]",
      ),
      [true, 'in d', 4],
    );
  });

  it('a sound goes on playing', async () => {
    const site = await startLivePage({
      'index.html': page('<p>one</p><audio src="fog-horn.ogg" loop muted></audio>'),
      'fog-horn.ogg': await readFile(path.join(process.cwd(), 'sample/www/html/audio/fog-horn.ogg')),
    });
    const tab = await openPage(site);
    await tab.evaluate(
      "window.sound = document.querySelector('audio'); sound.play().then(() => { sound.onpause = sound.onemptied = () => { window.interrupted = true; }; })",
    );
    await see(tab, 'sound.currentTime > 0.1');
    await site.write('index.html', page('<h1>new</h1><p>two</p><audio src="fog-horn.ogg" loop muted></audio>'));
    await see(tab, "document.querySelector('p').textContent === 'two'");
    assert.deepEqual(
      await tab.evaluate(
        "[document.querySelector('audio') === sound, sound.paused, sound.currentTime > 0.1, window.interrupted]",
      ),
      [true, false, true, undefined],
    );
  });

  it('new style sheets are there before what needs them, and none before the others', async () => {
    const { site, tab } = await open('<p>one</p>');
    await site.writeSilently('new.css', 'h1, p { color: rgb(1, 2, 3) }');
    await site.writeSilently('slow.css', 'h1 { margin: 7px }');
    let release: (() => void) | undefined;
    await tab.route('**/slow.css', (route) => {
      release = () => {
        void route.continue();
      };
    });
    await tab.evaluate(`new MutationObserver(() => {
      const heading = document.querySelector('h1');
      if (heading && !window.first) window.first = [getComputedStyle(heading).color, getComputedStyle(heading).margin];
    }).observe(document, { childList: true, subtree: true })`);
    await site.write(
      'index.html',
      page(
        '<p>one</p><h1>two</h1>',
        '<link rel=stylesheet href=new.css>\n<link rel=stylesheet href=slow.css media=all>\n',
      ),
    );
    await see(tab, "document.querySelector('link')?.sheet");
    await until('the slow one is asked for', () => release !== undefined);
    assert.notEqual(await tab.evaluate("getComputedStyle(document.querySelector('p')).color"), 'rgb(1, 2, 3)');
    release?.();
    await see(tab, 'window.first');
    assert.deepEqual(await tab.evaluate('first'), ['rgb(1, 2, 3)', '7px']);
    await see(tab, "[...document.querySelectorAll('link')].map(({ media }) => media).join() === ',all'");
    assert.equal(await reloaded(tab), false);
  });

  it('typing shows each state, and the last one stays', async () => {
    const { site, tab } = await open('<p>-</p>');
    for (let count = 1; count <= 20; count++) site.type('index.html', page(`<p>${'x'.repeat(count)}</p>`));
    await see(tab, `document.querySelector('p').textContent === '${'x'.repeat(20)}'`);
    site.type('index.html', undefined);
    await see(tab, "document.querySelector('p').textContent === '-'");
    assert.equal(await reloaded(tab), false);
  });

  it('noscript in the head, with what does not belong there', async () => {
    const { site, tab } = await open(
      '<p>one</p>',
      '<noscript><img src="track.gif"></noscript><meta name=a content=b>\n',
    );
    await site.write(
      'index.html',
      page('<p>two</p>', '<noscript><img src="other.gif"></noscript><meta name=a content=c>\n'),
    );
    await see(
      tab,
      "document.querySelector('p').textContent === 'two' && document.querySelector('meta[name=a]').content === 'c'",
    );
    assert.deepEqual(
      await tab.evaluate(
        "[window.marker, document.querySelectorAll('img').length, document.querySelectorAll('template').length]",
      ),
      [true, 0, 0],
    );
  });

  it('twenty thousand elements: an edit takes no time to speak of', async () => {
    const rows = (word: string): string =>
      Array.from(
        { length: 5_000 },
        (_, index) => `<div class=row><b>${index}</b> <i>${index === 2_500 ? word : 'x'}</i></div>`,
      ).join('\n');
    const { site, tab } = await open(rows('one'));
    await site.write('index.html', page(rows('two')));
    await see(tab, "document.querySelectorAll('i')[2500].textContent === 'two'");
    assert.equal(await reloaded(tab), false);
  });
});
