import assert from 'node:assert/strict';
import { readConfigText } from '../../src/cli/configFile.js';

describe('the configuration file', () => {
  it('is JSON as VS Code writes it: comments, a comma behind the last, a byte order mark', () => {
    const { configuration, mistakes } = readConfigText(
      '\ufeff{\n  // the port\n  "port": 8081, /* and */\n  "accessLog.format": "json",\n}\n',
    );
    assert.deepEqual([configuration, mistakes], [{ port: 8081, accessLog: { format: 'json' }, limits: {} }, []]);
  });

  const rows: [text: string, key: string, line: number | undefined, says: RegExp][] = [
    ['{\n  "port": 1\n  "ip": "::1"\n}', '', 3, /^a comma is missing$/],
    ['{\n  "port": \n}', '', 3, /^a value is missing$/],
    ['{ "port": 1', '', 1, /^a } is missing$/],
    ['{\n"root": "x\n}', '', 2, /^a quote is missing$/],
    ['{}\n\n{}', '', 3, /^there is something behind the end$/],
    ['nonsense', '', 1, /^this is no value$/],
    ['', '', 1, /^a value is missing$/],
    ['[]', '', 1, /^the configuration must be a JSON object$/],
    ['{\n  "cleanUrls": true,\n  "port": "x"\n}', 'port', 3, /whole number/],
    ['{\n  "errorPages": {\n    "404": "a.html",\n    "500": "../b.html"\n  }\n}', 'errorPages.500', 4, /inside/],
    [
      '{\n  "headers": {\n    "**/*.js": {\n      "X-A": "1",\n      "X-B": "a\\r\\nb"\n    }\n  }\n}',
      'headers.**/*.js.X-B',
      5,
      /one line/,
    ],
    ['{\n  "cors": [\n    "http://a.test",\n    "nonsense"\n  ]\n}', 'cors.1', 4, /origin/],
    ['{\n  "accessLog.format":\n    "odd"\n}', 'accessLog.format', 3, /"common"/],
    ['{\n  "a.b": 1,\n  "a": 2\n}', 'a.b', 2, /is not a setting/],
    ['{\n  "directoryListing": false,\n  "index": []\n}', 'index', 3, /no folder could be shown/],
  ];
  for (const [text, key, line, says] of rows) {
    it(`${JSON.stringify(text).slice(0, 60)}: line ${String(line)}`, () => {
      const [mistake] = readConfigText(text).mistakes;
      assert.deepEqual([mistake?.key, mistake?.line], [key, line]);
      assert.match(mistake?.message ?? '', says);
    });
  }
});
