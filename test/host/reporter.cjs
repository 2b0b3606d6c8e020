// Mocha's own report, each failure that a second try has made good, and the files with tests that failed twice: told,
// not hidden. A browser and a whole VS Code on a busy machine hang now and then for reasons that are not ours; a test
// that is often on this list is broken.

const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  /** @param {import('mocha').Runner} runner @param {import('mocha').MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    /** @type {string[]} */
    const lines = [];
    /** By file. @type {Map<string, { passed: number, failed: number }>} */
    const files = new Map();
    const count = (/** @type {'passed' | 'failed'} */ how) => (/** @type {import('mocha').Runnable} */ test) => {
      const file = test.file ?? test.parent?.file ?? '';
      const counts = files.get(file) ?? { passed: 0, failed: 0 };
      counts[how]++;
      files.set(file, counts);
    };
    runner.on(Runner.constants.EVENT_TEST_PASS, count('passed')).on(Runner.constants.EVENT_TEST_FAIL, count('failed'));
    runner.on(Runner.constants.EVENT_TEST_RETRY, (test, /** @type {Error} */ error) => {
      console.log(`    ↻ ${test.title}: once more`);
      lines.push(
        `  ${test.fullTitle()}\n      ${(error.stack ?? String(error)).split('\n').slice(0, 6).join('\n      ')}`,
      );
    });
    runner.on(Runner.constants.EVENT_RUN_END, () => {
      if (lines.length > 0) console.log(`\n  failed at the first try:\n${lines.join('\n')}\n`);
      for (const [file, { passed, failed }] of files)
        if (failed > 0) console.log(`  failed file: ${file} (${passed} passed, ${failed} failed)`);
    });
  }
};
