import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as vscode from 'vscode';
import { localUrl, openInBrowser, parseSitePath, sitePathOf, urlOf } from '../../src/editor/common/urls.js';
import { isTrouble } from '../../src/editor/common/outputChannels.js';
import { exposures } from '../../src/editor/server/exposure.js';
import type { ServerController } from '../../src/editor/server/serverController.js';
import type { Counts, Lifecycle, RunningServer, ServerView } from '../../src/editor/common/lifecycle.js';
import { planPorts } from '../../src/editor/server/ports.js';
import { previewHtml } from '../../src/editor/preview/previewHtml.js';
import { readMessage, readState } from '../../src/editor/preview/previewMessages.js';
import { documentOf, PreviewPanel, titleOf } from '../../src/editor/preview/previewPanel.js';
import { isWithin } from '../../src/server/util/paths.js';
import { labelOf } from '../../src/editor/server/rootFolder.js';
import { createStarterSite } from '../../src/editor/server/starterSite.js';
import { describeServers } from '../../src/editor/statusBar.js';
import { throttle } from '../../src/editor/common/throttle.js';
import type { ToPanelView } from '../../src/shared/panelProtocol.js';
import type { Exchange } from '../../src/server/options/observer.js';
import { FakeTimers } from '../support/fakeTimers.js';

const SERVER: RunningServer = {
  localUrl: 'http://127.0.0.1:8080/',
  url: 'http://127.0.0.1:9000/proxy/8080/',
  port: 8080,
  root: '/w/www/html',
  rootLabel: 'www/html',
  portNote: undefined,
};

function view(lifecycle: Lifecycle, folderName = 'site', live?: Counts['live']): ServerView {
  return { folderName, lifecycle, counts: { connections: 1, requests: 2, live } };
}

describe('the status bar', () => {
  const running = view({ name: 'Running', server: SERVER });
  const rows: [what: string, servers: ServerView[], text: string, label: RegExp, failed: boolean][] = [
    ['nothing runs', [], '$(broadcast) Lite Server', /stopped/, false],
    ['one starts', [view({ name: 'Starting' })], '$(sync~spin) Lite Server', /starting/, false],
    ['one stops', [view({ name: 'Stopping' })], '$(sync~spin) Lite Server', /stopping/, false],
    ['one runs', [running], '$(radio-tower) :8080', /running on port 8080/, false],
    ['two run', [running, running], '$(radio-tower) 2 servers', /2 servers running/, false],
    ['one failed', [view({ name: 'Failed', message: 'no luck' })], '$(error) Lite Server', /failed: no luck/, true],
    [
      'one runs, one failed',
      [running, view({ name: 'Failed', message: 'no luck' })],
      '$(error) Lite Server',
      /failed: no luck/,
      true,
    ],
    ['one runs, one starts', [running, view({ name: 'Starting' })], '$(sync~spin) Lite Server', /starting/, false],
  ];
  for (const [what, servers, text, label, failed] of rows) {
    it(`${what}: ${text}`, () => {
      const described = describeServers(servers);
      assert.equal(described.text, text);
      assert.match(described.label, label);
      assert.equal(described.failed, failed);
    });
  }

  it('tells the address, the folder and the numbers, one as one', () => {
    const { tooltip } = describeServers([running]);
    for (const part of [SERVER.url, '`www/html`', '1 open connection ·', '2 requests so far'])
      assert.ok(tooltip.includes(part), `${part} in ${tooltip}`);
  });

  it('tells how many pages are connected, and what was updated last', () => {
    const live = { pages: 3, lastUpdate: 'reloaded /a.html ← css/site_*.css (1 page), 14:03:07' };
    const { tooltip } = describeServers([view({ name: 'Running', server: SERVER }, 'site', live)]);
    assert.match(tooltip, /3 pages connected/);
    assert.ok(tooltip.replace(/\\/g, '').includes(`Last update: ${live.lastUpdate}`), tooltip);
    assert.ok(tooltip.includes('\\_\\*'), 'names are text');
    assert.match(
      describeServers([view({ name: 'Running', server: SERVER }, 'site', { pages: 0, lastUpdate: undefined })]).tooltip,
      /0 pages connected(?![^]*Last update)/,
    );
  });

  it('takes the names of folders as text', () => {
    const { tooltip } = describeServers([
      running,
      view({ name: 'Running', server: SERVER }, '[x](command:evil) $(error)'),
    ]);
    assert.ok(!/\[x\]\(|[^\\]\$\(error/.test(tooltip), tooltip);
  });
});

describe('ports', () => {
  const rows: [
    setting: number | undefined,
    remembered: number | undefined,
    first: number,
    second: number | undefined,
  ][] = [
    [undefined, undefined, 8080, 8081],
    [undefined, 9000, 9000, 9001],
    [3000, 9000, 3000, 3001],
    [0, 9000, 0, undefined],
    [65535, undefined, 65535, 0],
  ];
  for (const [setting, remembered, first, second] of rows) {
    it(`set ${setting}, last time ${remembered}: ${first}, then ${second}`, () => {
      const plan = planPorts(setting, remembered);
      assert.deepEqual([plan.first, plan.others[0]], [first, second]);
      if (setting !== 0) assert.equal(plan.others.at(-1), 0);
    });
  }
});

describe('exposure', () => {
  const rows: [ip: string, root: string, workspace: string, asked: RegExp[]][] = [
    ['127.0.0.1', '/w/www', '/w', []],
    ['::1', '/w', '/w', []],
    ['127.8.8.8', '/w', '/w', []],
    ['0.0.0.0', '/w/www', '/w', [/other machines/]],
    ['192.168.1.5', '/other', '/w', [/other machines/, /Serve \/other\?/]],
    ['127.0.0.1', '/w2', '/w', [/Serve \/w2\?/]],
    ['127.0.0.1', '/', '/', [/Serve \/\?/]],
    ['127.0.0.1', '/home', '/home', [/Serve \/home\?/]],
    ['127.0.0.1', '/home/me', '/home/me', [/Serve \/home\/me\?/]],
    ['127.0.0.1', '/home/me/site', '/home/me/site', []],
  ];
  for (const [ip, root, workspace, asked] of rows) {
    it(`${root} of ${workspace} at ${ip}: ${asked.length} questions`, () => {
      const questions = exposures(ip, root, workspace, '/home/me').map(([, question]) => question);
      assert.equal(questions.length, asked.length);
      asked.forEach((pattern, index) => {
        assert.match(questions[index]!, pattern);
      });
    });
  }

  it('knows a folder from its neighbour with a longer name', () => {
    assert.deepEqual(
      [
        isWithin('/site', '/site'),
        isWithin('/site', '/site/a'),
        isWithin('/site', '/site2'),
        isWithin('/site', '/'),
        isWithin('/site', '/site/..a'),
      ],
      [true, true, false, false, true],
    );
  });
});

describe('URLs', () => {
  const rows: [file: string, url: string][] = [
    ['/w/www/html/index.html', ''],
    ['/w/www/html/about.html', 'about.html'],
    ['/w/www/html/guide/index.html', 'guide/'],
    ['/w/www/html/a b/ü#1?.html', 'a%20b/%C3%BC%231%3F.html'],
    ['/w/www/html2/x.html', ''],
    ['/elsewhere/x.html', ''],
    ['/w/www/html', ''],
  ];
  for (const [file, url] of rows) {
    it(`${file} is ${url === '' ? 'the site itself' : url}`, () => {
      assert.equal(urlOf(SERVER.url, SERVER.root, file), SERVER.url + url);
    });
  }

  for (const [ip, url] of [
    ['127.0.0.1', 'http://127.0.0.1:80/'],
    ['0.0.0.0', 'http://127.0.0.1:80/'],
    ['::', 'http://[::1]:80/'],
    ['::1', 'http://[::1]:80/'],
  ] as const) {
    it(`${ip} is reached at ${url}`, () => {
      assert.equal(localUrl(ip, 80), url);
    });
  }

  it('opens nothing but http', async () => {
    await assert.rejects(
      openInBrowser({ ...SERVER, url: 'file:///etc/', localUrl: 'file:///etc/' }, '/'),
      /is not a page of this server/,
    );
  });
});

describe('paths of the site', () => {
  const bases = [SERVER.url, SERVER.localUrl];
  const rows: [text: string, path: string | undefined][] = [
    ['/', '/'],
    ['', '/'],
    ['about.html', '/about.html'],
    [' /a b.html ', '/a%20b.html'],
    ['/ü?q=1#x', '/%C3%BC?q=1#x'],
    ['?q', '/?q'],
    ['/a/../b', '/b'],
    ['../..', '/'],
    [`${SERVER.url}a.html#b`, '/a.html#b'],
    ['http://127.0.0.1:8080', '/'],
    ['http://127.0.0.1:8080/a', '/a'],
    ['//evil.test', undefined],
    ['/\\evil.test', undefined],
    ['\\\\evil.test', undefined],
    ['/\t/evil.test', undefined],
    ['http://evil.test/', undefined],
    ['http://127.0.0.1:8081/', undefined],
    ['http://127.0.0.1:8080@evil.test/', undefined],
    ['http:evil', undefined],
    ['javascript:alert(1)', undefined],
    ['command:x', undefined],
    ['file:///etc/passwd', undefined],
    ['data:text/html,x', undefined],
    ['/a/..//evil.test', undefined],
    [`${SERVER.url}//evil.test`, undefined],
    [`/${'x'.repeat(8192)}`, undefined],
  ];
  for (const [text, expected] of rows) {
    it(`${JSON.stringify(text.slice(0, 60))} is ${expected ?? 'none'}`, () => {
      assert.equal(parseSitePath(text, bases), expected);
    });
  }

  it('of files and folders', async () => {
    const parent = await realpath(await mkdtemp(path.join(tmpdir(), 'paths-')));
    try {
      const root = path.join(parent, 'site');
      await mkdir(path.join(root, 'guide'), { recursive: true });
      await symlink(root, path.join(parent, 'link'), 'dir');
      const of = (file: string): Promise<string | undefined> =>
        sitePathOf(root, vscode.Uri.file(path.join(parent, file)));
      assert.deepEqual(
        await Promise.all(
          ['site', 'site/guide', 'site/guide/index.html', 'site/a b.html', 'link/guide', 'other', 'site2'].map(of),
        ),
        ['/', '/guide/', '/guide/', '/a%20b.html', '/guide/', undefined, undefined],
      );
      assert.equal(await sitePathOf(root, vscode.Uri.parse('untitled:x.html')), undefined);
    } finally {
      await rm(parent, { recursive: true });
    }
  });
});

describe('the preview panel', () => {
  const config = {
    folder: 'file:///w',
    path: '/a"><script>alert(1)</script>',
    pinned: false,
    origin: 'http://127.0.0.1:9000',
    isOff: false,
  };

  it('may frame the site, run its own script and do nothing else', () => {
    const html = previewHtml(config);
    const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
    assert.match(
      policy,
      /^default-src &#39;none&#39;; frame-src http:\/\/127\.0\.0\.1:9000; script-src &#39;nonce-([\w-]{22})&#39;; style-src &#39;nonce-\1&#39;$/,
    );
    assert.ok(!html.includes('<script>alert'));
    assert.equal(html.match(/<script/g)?.length, 1);
    assert.match(
      html,
      /sandbox="allow-scripts allow-forms allow-same-origin allow-popups allow-modals allow-downloads"/,
    );
    assert.ok(!/ style="| on\w+="/.test(html), 'nothing inline');
    assert.notEqual(previewHtml(config), html, 'a nonce of its own');
  });

  it('frames nothing while the server is stopped', () => {
    const html = previewHtml({ ...config, origin: undefined });
    assert.match(html, /frame-src &#39;none&#39;/);
    assert.match(html, /The server is stopped/);
    assert.ok(!html.includes('<iframe'));
  });

  const rows: [message: unknown, read: unknown][] = [
    [{ type: 'ready', more: 1 }, { type: 'ready' }],
    [{ type: 'start' }, { type: 'start' }],
    [{ type: 'openInBrowser', url: 'file:///' }, { type: 'openInBrowser' }],
    [
      { type: 'navigate', path: 'x' },
      { type: 'navigate', path: 'x' },
    ],
    [{ type: 'navigate' }, undefined],
    [
      { type: 'pin', pinned: true },
      { type: 'pin', pinned: true },
    ],
    [{ type: 'pin', pinned: 'yes' }, undefined],
    [
      { type: 'location', path: '/a', title: ' T\n ', opened: 1 },
      { type: 'location', path: '/a', title: 'T', opened: 1 },
    ],
    [{ type: 'location', path: '//evil.test/', title: '', opened: 1 }, undefined],
    [{ type: 'location', path: 'a', title: '', opened: 1 }, undefined],
    [{ type: 'location', path: '/a', title: '' }, undefined],
    [{ type: 'location', path: '/a', title: 5, opened: 1 }, undefined],
    [{ type: 'location', path: 5, title: '', opened: 1 }, undefined],
    [{ cmd: 'command:x' }, undefined],
    [{ type: 'eval' }, undefined],
    [{ type: ['ready'] }, undefined],
    [null, undefined],
    ['ready', undefined],
    [undefined, undefined],
    [5, undefined],
  ];
  for (const [message, read] of rows)
    it(`${JSON.stringify(message)} is ${read === undefined ? 'dropped' : 'taken'}`, () => {
      assert.deepEqual(readMessage(message), read);
    });

  it('is restored from what makes sense', () => {
    assert.deepEqual(readState({ folder: 'file:///w', path: '/a', pinned: true, preset: 'phone' }), {
      folder: 'file:///w',
      path: '/a',
      pinned: true,
    });
    assert.deepEqual(readState({ folder: 'file:///w', path: 'javascript:x', pinned: 1 }), {
      folder: 'file:///w',
      path: '/',
      pinned: false,
    });
    for (const bad of [undefined, null, 'x', {}, { folder: 5 }]) assert.equal(readState(bad), undefined);
  });

  it('stays with the page that was asked for when the one before it still speaks', () => {
    const heard = new vscode.EventEmitter<unknown>();
    const posted: ToPanelView[] = [];
    const webview = {
      html: '',
      onDidReceiveMessage: heard.event,
      postMessage: (message: ToPanelView) => posted.push(message),
    };
    const running = { root: '/w/site', url: 'http://127.0.0.1:9000/' };
    const controller = {
      running,
      live: { pages: [], previewEntry: (page: string) => page },
      folder: { uri: vscode.Uri.file('/w') },
    };
    const panel = new PreviewPanel(
      { webview, title: '' } as unknown as vscode.WebviewPanel,
      controller as unknown as ServerController,
      { path: '/a.html', pinned: false },
      () => undefined,
    );
    try {
      heard.fire({ type: 'ready' });
      heard.fire({ type: 'location', path: '/b.html', title: 'B', opened: 1 });
      assert.equal(panel.path, '/b.html');
      heard.fire({ type: 'navigate', path: '/data.json' });
      heard.fire({ type: 'location', path: '/b.html', title: 'B', opened: 1 });
      assert.equal(panel.path, '/data.json');
      panel.fileChanged('/w/site/data.json');
      const opened = posted.map((message) =>
        message.type === 'open' ? `${message.opened} ${message.path}` : message.type,
      );
      assert.deepEqual(opened, ['1 /a.html', '2 /data.json', '3 /data.json']);
    } finally {
      panel.dispose();
    }
  });

  it('is called after its page', () => {
    assert.deepEqual(['/', '/a.html?x=/y', '/guide/', '/a%20b.html#z', '/%zz'].map(titleOf), [
      'Preview',
      'a.html',
      'guide',
      'a b.html',
      '%zz',
    ]);
    assert.deepEqual(['/a?b#c', '/a#c?b', '/%C3%BC', '/%ff'].map(documentOf), ['/a', '/a', '/ü', '/%ff']);
  });
});

describe('labels of folders', () => {
  for (const [root, label] of [
    ['/w/site/www/html', 'www/html'],
    ['/w/site', 'site'],
    ['/secret/place', 'place'],
    ['/w/..x', '..x'],
  ] as const) {
    it(`${root} is ${label}`, () => {
      assert.equal(labelOf(root, '/w/site'), label);
    });
  }
});

describe('the log', () => {
  const exchange = (status: number, target: string): Exchange =>
    ({ status, line: { method: 'GET', target, minor: 1 } }) as unknown as Exchange;
  for (const [status, target, trouble] of [
    [200, '/', false],
    [304, '/', false],
    [404, '/a', true],
    [404, '/favicon.ico', false],
    [404, '/x/favicon.ico', false],
    [500, '/favicon.ico', true],
    [405, '/', true],
  ] as const) {
    it(`${status} for ${target} is ${trouble ? 'a warning' : 'no warning'}`, () => {
      assert.equal(isTrouble(exchange(status, target)), trouble);
    });
  }
});

describe('the starter site', () => {
  it('never touches a file that is there', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'starter-'));
    try {
      await writeFile(path.join(folder, 'index.html'), 'mine');
      await createStarterSite(folder);
      assert.equal(await readFile(path.join(folder, 'index.html'), 'utf8'), 'mine');
      assert.match(await readFile(path.join(folder, 'style.css'), 'utf8'), /body/);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('throttle', () => {
  it('runs at once, then once for all that is asked meanwhile, and times nothing at rest', () => {
    const timers = new FakeTimers();
    let runs = 0;
    const { request, dispose } = throttle(
      () => {
        runs++;
      },
      20,
      timers,
    );
    const after = (milliseconds: number): readonly [runs: number, timers: number] => {
      timers.advance(milliseconds);
      return [runs, timers.count];
    };
    request();
    assert.deepEqual(after(0), [1, 0]);
    for (let i = 0; i < 1000; i++) request();
    assert.deepEqual(after(19), [1, 1]);
    assert.deepEqual(after(1), [2, 0]);
    request();
    dispose();
    request();
    assert.deepEqual(after(1_000), [2, 0], 'it was disposed before its time came');
  });
});
