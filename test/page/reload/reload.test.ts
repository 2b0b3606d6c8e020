import assert from 'node:assert/strict';
import { openPage, reloaded, see, seeReload, startLivePage, until } from '../livePage.js';

const filler = '<p>line</p>\n'.repeat(80);
const form =
  '<input id=name><input type=password id=secret><textarea></textarea><input type=checkbox><details><summary>s</summary>x</details><div style="height: 50px; overflow: auto"><div style="height: 500px">x</div></div>';

describe('a change that needs a reload', () => {
  it('makes one', async () => {
    const html = (text: string): string => `<!doctype html><p>${text}</p><script src=app.js></script>`;
    const site = await startLivePage({ 'index.html': html('one'), 'app.js': '' });
    const tab = await openPage(site);
    let loads = 0;
    tab.on('load', () => {
      loads++;
    });
    await site.write('app.js', 'window.version = 2');
    await seeReload(tab, site);
    await see(tab, 'window.version === 2');
    await site.write('index.html', html('two'));
    await see(tab, "document.querySelector('p').textContent === 'two'");
    assert.equal(loads, 1);
  });

  it('a script file: scroll, fields, open details and focus come back, passwords do not', async () => {
    const site = await startLivePage({
      'index.html': `<!doctype html><meta charset=utf-8><script src=app.js></script>${form}${filler}`,
      'app.js': 'window.version = 1',
    });
    const tab = await openPage(site);
    await tab.fill('#name', 'half-typed');
    await tab.fill('#secret', 'secret');
    await tab.fill('textarea', 'some text');
    await tab.check('[type=checkbox]');
    await tab.evaluate(
      "document.querySelector('details').open = true; document.querySelector('div').scrollTop = 40; document.querySelector('#name').focus(); document.querySelector('#name').setSelectionRange(1, 3); scrollTo(0, 500)",
    );
    await site.write('app.js', 'window.version = 2');
    await seeReload(tab, site);
    await see(tab, 'window.version === 2 && scrollY === 500');
    assert.deepEqual(
      await tab.evaluate(
        "[document.querySelector('#name').value, document.querySelector('#secret').value, document.querySelector('textarea').value, document.querySelector('[type=checkbox]').checked, document.querySelector('details').open, document.querySelector('div').scrollTop, document.activeElement.id, document.activeElement.selectionStart, document.activeElement.selectionEnd, Object.keys(sessionStorage).filter((key) => key.includes('state'))]",
      ),
      ['half-typed', '', 'some text', true, true, 40, 'name', 1, 3, []],
    );
  });

  it('a page that grows after its load is scrolled when it has grown', async () => {
    const script = (version: number): string =>
      `window.version = ${version}; addEventListener('load', () => setTimeout(() => { document.body.insertAdjacentHTML('beforeend', ${JSON.stringify(filler)}); }, 200))`;
    const site = await startLivePage({
      'index.html': '<!doctype html><body><script src=app.js></script>',
      'app.js': script(1),
    });
    const tab = await openPage(site);
    await see(tab, '(scrollTo(0, 700), scrollY === 700)');
    await site.write('app.js', script(2));
    await see(tab, 'window.version === 2 && scrollY === 700');
  });

  it('an inline script: when saved, not while it is typed', async () => {
    const html = (code: string, text: string): string => `<!doctype html><p>${text}</p><script>${code}</script>`;
    const site = await startLivePage({ 'index.html': html('window.version = 1', 'one') });
    const tab = await openPage(site);
    site.type('index.html', html('window.version = ', 'two'));
    await see(tab, "document.querySelector('p').textContent === 'two'");
    site.type('index.html', html('window.version = 2', 'three'));
    await see(tab, "document.querySelector('p').textContent === 'three'");
    assert.deepEqual(
      await tab.evaluate("[window.marker, window.version, document.querySelector('script').textContent]"),
      [true, 1, 'window.version = 1'],
    );
    await site.write('index.html', html('window.version = 2', 'three'));
    site.type('index.html', undefined);
    // Saving and closing may each ask for a reload.
    await see(tab, 'window.version === 2');
    assert.ok(await reloaded(tab));
  });

  it('a script that was typed and taken back: no reload', async () => {
    const html = (code: string, text: string): string => `<!doctype html><p>${text}</p><script>${code}</script>`;
    const site = await startLivePage({ 'index.html': html('window.version = 1', 'one') });
    const tab = await openPage(site);
    site.type('index.html', html('window.version = 2', 'two'));
    await see(tab, "document.querySelector('p').textContent === 'two'");
    await site.write('index.html', html('window.version = 1', 'three'));
    site.type('index.html', undefined);
    await see(tab, "document.querySelector('p').textContent === 'three'");
    assert.equal(await reloaded(tab), false);
  });

  for (const [name, before, after] of [
    ['added', '', '<script src=b.js></script>'],
    ['removed', '<script src=b.js></script>', ''],
    ['its attributes', '<script src=b.js></script>', '<script src=b.js defer></script>'],
  ] as const) {
    it(`a script ${name}`, async () => {
      const site = await startLivePage({ 'index.html': `<!doctype html><p>1</p>${before}`, 'b.js': '' });
      const tab = await openPage(site);
      await site.write('index.html', `<!doctype html><p>1</p>${after}`);
      await seeReload(tab, site);
    });
  }

  it('the source of what a script has replaced: reload when saved, nothing when typed', async () => {
    const html = (text: string): string =>
      `<!doctype html><p>x</p><div id=app>${text}</div><script>document.querySelector('#app').innerHTML = '<b>' + document.querySelector('#app').textContent.toUpperCase() + '</b>'</script>`;
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site);
    site.type('index.html', html('two').replace('x', 'y'));
    await see(tab, "document.querySelector('p').textContent === 'y'");
    assert.equal(await reloaded(tab), false);
    await site.write('index.html', html('two').replace('x', 'y'));
    site.type('index.html', undefined);
    await seeReload(tab, site);
    assert.equal(await tab.evaluate("document.querySelector('#app').textContent"), 'TWO');
  });

  it('a text that a script has written over', async () => {
    const html = (text: string): string =>
      `<!doctype html><p>${text}</p><script>{ const text = document.querySelector('p').firstChild; text.data = text.data.toUpperCase(); }</script>`;
    const site = await startLivePage({ 'index.html': html('one') });
    const tab = await openPage(site);
    await site.write('index.html', html('two'));
    await see(tab, "document.querySelector('p').textContent === 'TWO'");
  });

  it('a page that was missing appears by itself', async () => {
    const site = await startLivePage({ 'index.html': 'x' });
    const tab = await openPage(site, 'new.html');
    assert.deepEqual(
      site.pages.map(({ path, status }) => [path, status]),
      [['/new.html', 404]],
    );
    await site.write('new.html', '<!doctype html><h1>here</h1>');
    await see(tab, "document.querySelector('h1').textContent === 'here'");
  });

  it('a page of another kind that is typed: nothing before it is saved', async () => {
    const html = (text: string): string =>
      `<html xmlns="http://www.w3.org/1999/xhtml"><head><title>x</title><link rel="stylesheet" href="site.css"/></head><body><p>${text}</p></body></html>`;
    const site = await startLivePage({ 'a.xhtml': html('one'), 'site.css': '' });
    const tab = await openPage(site, 'a.xhtml');
    site.type('a.xhtml', html('two'));
    site.type('site.css', 'p { color: rgb(1, 2, 3) }');
    await see(tab, "getComputedStyle(document.querySelector('p')).color === 'rgb(1, 2, 3)'");
    assert.deepEqual(await tab.evaluate("[window.marker, document.querySelector('p').textContent]"), [true, 'one']);
    await site.write('a.xhtml', html('two'));
    site.type('a.xhtml', undefined);
    await see(tab, "document.querySelector('p').textContent === 'two'");
  });

  it('elements that typing took out and brought back: reload when saved', async () => {
    const html = (text: string, button: string): string =>
      `<!doctype html><p>${text}</p>${button}<script>document.querySelector('button').onclick = () => { window.clicked = true; }</script>`;
    const button = '<section><button>x</button></section>';
    const site = await startLivePage({ 'index.html': html('one', button) });
    const tab = await openPage(site);
    site.type('index.html', html('two', ''));
    await see(tab, "!document.querySelector('button')");
    site.type('index.html', html('three', button));
    await see(tab, "document.querySelector('button')");
    assert.equal(await reloaded(tab), false);
    await site.write('index.html', html('three', button));
    site.type('index.html', undefined);
    await seeReload(tab, site);
    await see(tab, "(document.querySelector('button').click(), window.clicked)");
  });

  it('a page in a frame does not take the focus from around it', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><input id=outer><iframe src=inner.html></iframe>',
      'inner.html': '<!doctype html><script src=app.js></script><input>',
      'app.js': '',
    });
    const tab = await openPage(site);
    await see(tab, "frames[0].document.readyState === 'complete' && frames[0].document.querySelector('input')");
    await until('both are linked', () => site.pages.length === 2);
    await tab.evaluate("frames[0].document.querySelector('input').focus()");
    await tab.focus('#outer');
    await tab.evaluate('frames[0].marker = true');
    await site.write('app.js', 'window.version = 2');
    await see(tab, "!frames[0].marker && frames[0].version === 2 && frames[0].document.readyState === 'complete'");
    assert.equal(await tab.evaluate('document.activeElement.id'), 'outer');
  });

  it('what was typed comes back to the field it was typed into, also when others have come before it', async () => {
    const html = (before: string): string =>
      `<!doctype html><form>${before}<input name=a><input id=b><input type=checkbox name=c value=1><input type=checkbox name=c value=2><textarea name=children></textarea></form><script>0</script>`;
    const site = await startLivePage({ 'index.html': html('') });
    const tab = await openPage(site);
    await tab.fill('[name=a]', 'in a');
    await tab.fill('#b', 'in b');
    await tab.check("[value='2']");
    await tab.fill('textarea', 'in the textarea');
    await site.write(
      'index.html',
      html('<input type=checkbox name=new value=new><input name=first><textarea></textarea>').replace('>0<', '>1<'),
    );
    await seeReload(tab, site);
    await see(tab, "document.querySelector('#b').value !== ''");
    assert.deepEqual(
      await tab.evaluate(
        "[...document.querySelectorAll('input,textarea')].map((field) => field.type === 'checkbox' ? [field.value, field.checked] : field.value)",
      ),
      [['new', false], '', '', 'in a', 'in b', ['1', false], ['2', true], 'in the textarea'],
    );
  });

  it('a storm of reloads stops, says so once, and ends with a page that is up to date', async () => {
    const site = await startLivePage({ 'index.html': '<!doctype html><script src=app.js></script>', 'app.js': '' });
    const tab = await openPage(site);
    const said: string[] = [];
    tab.on('console', (message) => said.push(message.text()));
    let count = 0;
    for (; !said.some((text) => text.includes('left alone')) && count < 500; count++) {
      await site.write('app.js', `window.count = ${count}`);
      await see(tab, "document.readyState === 'complete' && performance.now() > 50");
    }
    await site.write('app.js', 'window.count = "last"');
    await see(tab, 'window.count === "last"', 15_000);
    assert.equal(said.filter((text) => text.includes('more than 10 times')).length, 1);
  });

  it('a document in a frame updates itself, and not the page around it', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><iframe src=inner.html></iframe>',
      'inner.html': '<!doctype html><p>one</p>',
    });
    const tab = await openPage(site);
    await see(tab, "frames[0].document.readyState === 'complete' && (frames[0].marker = true)");
    await see(tab, 'performance.now() > 0');
    await site.write('inner.html', '<!doctype html><p>two</p>');
    await see(tab, "frames[0].document.querySelector('p')?.textContent === 'two'");
    assert.equal(await reloaded(tab), false);
  });

  it('a document in a frame whose sandbox allows no scripts', async () => {
    const site = await startLivePage({
      'index.html': '<!doctype html><iframe sandbox=allow-same-origin src=inner.html></iframe>',
      'inner.html': '<!doctype html><p>one</p>',
    });
    const tab = await openPage(site);
    await see(tab, "frames[0].document.querySelector('p')");
    await site.write('inner.html', '<!doctype html><p>two</p>');
    await see(tab, "frames[0].document.querySelector('p')?.textContent === 'two'");
    assert.equal(await reloaded(tab), true);
  });
});
