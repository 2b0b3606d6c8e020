// Mocha's own report, and each failure that a second try has made good: it is told, not hidden.
// A browser and a whole VS Code on a busy machine hang now and then for reasons that are not ours;
// a test that is often on this list is broken.

const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  /** @param {import('mocha').Runner} runner @param {import('mocha').MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    /** @type {string[]} */
    const lines = [];
    runner.on(Runner.constants.EVENT_TEST_RETRY, (test, /** @type {Error} */ error) => {
      console.log(`    ↻ ${test.title}: once more`);
      lines.push(`  ${test.fullTitle()}\n      ${(error.stack ?? String(error)).split('\n').slice(0, 6).join('\n      ')}`);
    });
    runner.on(Runner.constants.EVENT_RUN_END, () => {
      if (lines.length > 0) console.log(`\n  failed at the first try:\n${lines.join('\n')}\n`);
    });
  }
};
