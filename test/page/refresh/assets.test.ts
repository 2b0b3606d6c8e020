import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from '../../support/site.js';
import { openContext, openPage, reloaded, see, seeReload, startLivePage } from '../livePage.js';

const square = (size: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect id="r" width="${size}" height="${size}"/></svg>`;
const sample = (name: string): Promise<Buffer> => readFile(path.join(process.cwd(), 'sample/www/html', name));
/** The sizes of images that are shown anew. */
const fresh = (selector: string, property: string): string => `/lite-server-fresh=/.test(${selector}.${property})`;

describe('a changed image, sound or font', () => {
  const cases: readonly (readonly [name: string, html: string, shown: string])[] = [
    [
      'img',
      '<img src="a.svg?v=1">',
      "document.querySelector('img').naturalWidth === 20 && /a\\.svg\\?v=1&lite/.test(document.querySelector('img').src)",
    ],
    [
      'srcset',
      '<img srcset="a.svg 1x, b.svg 2x">',
      "document.querySelector('img').naturalWidth === 20 && /^a\\.svg\\?lite-server-fresh=\\w+ 1x, b\\.svg 2x$/.test(document.querySelector('img').srcset)",
    ],
    [
      'picture',
      '<picture><source srcset="a.svg"><img src="b.svg"></picture>',
      "document.querySelector('img').naturalWidth === 20",
    ],
    ['input', '<input type=image src=a.svg>', "document.querySelector('input').offsetWidth === 20"],
    [
      'inline style',
      '<div style="background: url(a.svg) no-repeat">x</div>',
      fresh("getComputedStyle(document.querySelector('div'))", 'backgroundImage'),
    ],
    [
      'style rule',
      '<style>@media all { div { background: url("a.svg") no-repeat } }</style><div>x</div>',
      fresh("getComputedStyle(document.querySelector('div'))", 'backgroundImage'),
    ],
    [
      'style sheet',
      '<link rel=stylesheet href="css/s.css"><div>x</div>',
      fresh("getComputedStyle(document.querySelector('div'))", 'backgroundImage'),
    ],
    ['icon', '<link rel="shortcut icon" href=a.svg>', fresh("document.querySelector('link + link')", 'href')],
    ['svg image', '<svg><image href=a.svg /></svg>', fresh("document.querySelector('image')", 'href.baseVal')],
    [
      'svg use',
      '<svg><use href="a.svg#r"/></svg>',
      "/a\\.svg\\?lite-server-fresh=\\w+#r$/.test(document.querySelector('use').href.baseVal)",
    ],
    ['poster', '<video poster=a.svg></video>', fresh("document.querySelector('video')", 'poster')],
  ];
  for (const [name, html, shown] of cases) {
    it(`${name}: swapped`, async () => {
      const site = await startLivePage({
        'index.html': `<!doctype html><link rel=icon href=data:,>${html}`,
        'a.svg': square(10),
        'b.svg': square(10),
        'css/s.css': 'div { background: url(../a.svg) }',
      });
      // The headless shell shows no icon, and so loads none.
      const context = name === 'icon' ? await openContext({ full: true }) : undefined;
      const tab = await openPage(site, '', context);
      await site.write('a.svg', square(20));
      await see(tab, shown);
      assert.equal(await reloaded(tab), false);
    });
  }

  it('twice: one parameter', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><img src="a.svg">', 'a.svg': square(10) });
    const tab = await openPage(site);
    for (const size of [20, 30]) {
      await site.write('a.svg', square(size));
      await see(tab, `document.querySelector('img').naturalWidth === ${size}`);
    }
    assert.match(
      String(await tab.evaluate("document.querySelector('img').getAttribute('src')")),
      /^a\.svg\?lite-server-fresh=\w+$/,
    );
  });

  it('an edit of the page afterwards leaves it, and what is new shows the new file too', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><p>1</p><img src="a.svg">', 'a.svg': square(10) });
    const tab = await openPage(site);
    await site.write('a.svg', square(20));
    await see(tab, "document.querySelector('img').naturalWidth === 20");
    await tab.evaluate(
      "window.first = document.querySelector('img'); window.loads = 0; new MutationObserver(() => { loads++; }).observe(first, { attributes: true })",
    );
    await site.write('index.html', '<!doctype html><p>2</p><img src="a.svg"><b>new</b><img src="a.svg">');
    await see(
      tab,
      "document.querySelectorAll('img').length === 2 && document.querySelectorAll('img')[1].naturalWidth === 20",
    );
    assert.deepEqual(await tab.evaluate("[window.marker, document.querySelector('img') === first, loads]"), [
      true,
      true,
      0,
    ]);
  });

  it('a sound that plays goes on where it was', async () => {
    const horn = await sample('audio/fog-horn.ogg');
    const site = await startLivePage({
      'index.html': '<!doctype html><audio muted><source src="horn.ogg"></audio>',
      'horn.ogg': horn,
    });
    const tab = await openPage(site);
    await tab.evaluate("window.sound = document.querySelector('audio'); void sound.play()");
    await see(tab, 'sound.currentTime > 0.2');
    await site.write('horn.ogg', Buffer.concat([horn, horn]));
    await see(tab, "sound.currentSrc.includes('fresh') && !sound.paused && sound.currentTime > 0.2");
    assert.equal(await reloaded(tab), false);
  });

  it('a font is put beside the rule', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><style>@font-face { font-family: "Mine"; font-weight: 400; src: url(mine.woff2) format("woff2") } p { font: 40px Mine }</style><p><span>iiiiWWWW</span>',
      'mine.woff2': await sample('fonts/besley.woff2'),
    });
    const tab = await openPage(site);
    await tab.evaluate(
      'document.fonts.ready.then(() => { window.width = document.querySelector("span").offsetWidth; })',
    );
    for (const name of ['fonts/libre-franklin.woff2', 'fonts/besley.woff2']) {
      await site.write('mine.woff2', await sample(name));
      await see(
        tab,
        `(document.querySelector('span').offsetWidth === width) === ${name.includes('besley')} && document.fonts.size === 2`,
      );
    }
    assert.equal(await reloaded(tab), false);
  });

  it('a font whose first change comes after its second: the second stays', async () => {
    const site = await startLivePage({
      'index.html':
        '<!doctype html><style>@font-face { font-family: "Mine"; src: url(mine.woff2) format("woff2") } p { font: 40px Mine }</style><p><span>iiiiWWWW</span>',
      'mine.woff2': await sample('fonts/besley.woff2'),
    });
    const tab = await openPage(site);
    await tab.evaluate(
      'document.fonts.ready.then(() => { window.width = document.querySelector("span").offsetWidth; })',
    );
    await see(tab, 'window.width > 0');
    await tab.evaluate(
      'window.FontFace = class extends FontFace { constructor(...all) { super(...all); window.first ??= this; } }',
    );
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = 0;
    await tab.route(/mine\.woff2\?.*fresh/, async (route) => {
      asked++;
      if (asked > 1) return route.continue();
      await held;
      return route.fulfill({ body: await sample('fonts/besley.woff2') });
    });
    await site.write('mine.woff2', await sample('fonts/besley.woff2'));
    await until('the first is asked for', () => asked === 1);
    await site.write('mine.woff2', await sample('fonts/libre-franklin.woff2'));
    await see(tab, "document.querySelector('span').offsetWidth !== width && document.fonts.size === 2");
    release();
    // What is to be done once it is loaded was asked for before this, and is done before it.
    await tab.evaluate('first.loaded.then(() => undefined)');
    assert.deepEqual(
      await tab.evaluate("[document.querySelector('span').offsetWidth !== width, document.fonts.size]"),
      [true, 2],
    );
  });

  it('that only a script knows: reload', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><script>window.image = new Image(); image.src = "a.svg"</script>',
      'a.svg': square(10),
    });
    const tab = await openPage(site);
    await see(tab, 'image.naturalWidth === 10');
    await site.write('a.svg', square(20));
    await seeReload(tab, site);
    await see(tab, 'image.naturalWidth === 20');
  });
});
