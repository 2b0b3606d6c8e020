// Mocha's own report, and each failure that a second try has made good: told, not hidden. A whole VS Code on a busy
// machine misses a click now and then; a test that is named often is broken.

const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  /** @param {import('mocha').Runner} runner @param {import('mocha').MochaOptions} options */
  constructor(runner, options) {
    super(runner, options);
    runner.on(Runner.constants.EVENT_TEST_RETRY, (test, /** @type {Error} */ error) => {
      console.log(`    ↻ ${test.fullTitle()}: ${(error.stack ?? String(error)).split('\n')[0]}`);
    });
  }
};
