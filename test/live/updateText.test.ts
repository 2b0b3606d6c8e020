import assert from 'node:assert/strict';
import { describeProblem, describeUpdate } from '../../src/live/updateText.js';

describe('lines of the live preview', () => {
  const update = { how: 'reloaded', unsaved: false, file: 'css/site.css' } as const;
  const rows: [pages: string[], line: string][] = [
    [['/about.html'], 'reloaded /about.html ← css/site.css (1 page)'],
    [['/', '/'], 'reloaded / ← css/site.css (2 pages)'],
    [['/a', '/b', '/c'], 'reloaded /a, /b, /c ← css/site.css (3 pages)'],
    [['/a', '/b', '/c', '/d', '/e', '/e'], 'reloaded /a, /b, /c and 2 more ← css/site.css (6 pages)'],
  ];
  for (const [pages, line] of rows)
    it(line, () => {
      assert.equal(describeUpdate({ ...update, pages }), line);
    });

  it('a problem with its place, as far as it is known', () => {
    const problem = { page: '/about.html', level: 'error', message: 'Uncaught TypeError: x is undefined' } as const;
    assert.equal(
      describeProblem({ ...problem, file: '/ws/www/html/js/sité.js', line: 12, column: 5 }),
      '/about.html: Uncaught TypeError: x is undefined /ws/www/html/js/sité.js:12:5',
    );
    assert.equal(
      describeProblem({ ...problem, file: '/ws/a.js', line: 12 }),
      '/about.html: Uncaught TypeError: x is undefined /ws/a.js:12',
    );
    assert.equal(describeProblem(problem), '/about.html: Uncaught TypeError: x is undefined');
  });

  it('what a page says starts no line, and talks to no terminal', () => {
    assert.equal(
      describeProblem({ page: '/a', level: 'error', message: 'x\n2026 [info] forged\u001b]52;\u202e\u2028' }),
      '/a: x\\u000a2026 [info] forged\\u001b]52;\\u202e\\u2028',
    );
  });
});
