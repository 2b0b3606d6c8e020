import assert from 'node:assert/strict';
import { createRoutes } from '../../../../src/server/backends/common/routes.js';
import type { BackendRule, Match } from '../../../../src/server/options/backendRules.js';

const prefix = (...segments: string[]): Match => ({ kind: 'prefix', segments });
const glob = (text: string): Match => ({ kind: 'glob', glob: text });
const common = { label: '', timeout: 1000 };
const cgi = (match: Match): BackendRule => ({ ...common, type: 'cgi', match, maxProcesses: 1 });
const php = (match: Match): BackendRule => ({ ...common, type: 'php', match, program: undefined, processes: 1 });
const proxy = (match: Match): BackendRule => ({
  ...common,
  type: 'proxy',
  match,
  target: new URL('http://127.0.0.1:1'),
  stripPrefix: false,
  keepHost: false,
  verify: true,
});

describe('routes', () => {
  const RULES = [
    cgi(prefix('cgi-bin')),
    php(glob('**/*.php')),
    proxy(prefix('api')),
    proxy(glob('graph*')),
    cgi(glob('tools/*.py')),
  ];
  const routes = createRoutes(RULES);
  const table: readonly (readonly [path: string, rule: number | undefined])[] = [
    ['/', undefined],
    ['/a.html', undefined],
    ['/cgi-bin/x', 0],
    ['/cgi-bin', 0],
    ['/cgi-bin/', 0],
    ['/cgi-bin/a/b', 0],
    ['/cgi-binx/a', undefined],
    ['/x/cgi-bin/a', undefined],
    ['/CGI-BIN/x', undefined],
    // However it is spelt, a script is not sent as a file.
    ['//cgi-bin//x', 0],
    ['/%63gi-bin/x', 0],
    ['/cgi%2dbin/x', 0],
    ['/a.php', 1],
    ['/a/b/c.php', 1],
    ['/a.php/', 1],
    ['/a.php/info/x', 1],
    ['/a%2ephp', 1],
    ['/a.php%2f..%2fb', undefined],
    ['/a.phpx', undefined],
    ['/a.PHP', undefined],
    ['/cgi-bin/a.php', 0],
    ['/api', 2],
    ['/api/', 2],
    ['/api/v1/users', 2],
    ['/api/.hidden', 2],
    ['/api/a%2Fb', 2],
    ['/apix', undefined],
    ['/graphql', 3],
    ['/graphql/x', undefined],
    ['/tools/a.py', 4],
    ['/tools/a.py/x/y', 4],
    ['/tools/b/a.py', undefined],
    // What climbs or is malformed is for nobody; it is answered as for files.
    ['/api/../x.php', undefined],
    ['/api/%2e%2e/x', undefined],
    ['/api/..%2fx', undefined],
    ['/api/.', undefined],
    ['/api/%00', undefined],
    ['/api/%zz', undefined],
    ['/api/%5cx', undefined],
    ['/api/%ff', undefined],
    ['/api/%0a', undefined],
  ];
  for (const [path, index] of table) {
    it(`${path} → ${index === undefined ? 'no backend' : `rule ${index}`}`, () => {
      assert.equal(routes.find(path)?.rule, index === undefined ? undefined : RULES[index]);
    });
  }

  it('says how much of the path is the prefix, and whether it ends in a slash', () => {
    assert.deepEqual(
      [routes.find('/api/v1/')?.prefix, routes.find('/api/v1/')?.folder, routes.find('/api/v1/')?.segments],
      [1, true, ['api', 'v1']],
    );
    assert.deepEqual([routes.find('/a.php')?.prefix, routes.find('/a.php')?.folder], [0, false]);
  });

  it('an empty prefix fits everything', () => {
    const all = createRoutes([proxy(prefix())]);
    for (const path of ['/', '/a', '/a/b/']) assert.equal(all.find(path)?.prefix, 0, path);
  });

  it('files of the site: whether they are run', () => {
    assert.equal(routes.forFile('index.php')?.rule, RULES[1]);
    assert.equal(routes.forFile('blog/index.php')?.rule, RULES[1]);
    assert.equal(routes.forFile('index.html'), undefined);
    assert.equal(routes.forFile('dir.php/x.txt'), undefined, 'a file in a folder that is called like a script');
    assert.equal(routes.hasScripts, true);
    assert.equal(createRoutes([proxy(prefix('api'))]).hasScripts, false);
    assert.equal(createRoutes([]).find('/a.php'), undefined);
  });
});
