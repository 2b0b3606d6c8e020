import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { THEME } from '../../../src/server/pages/theme.js';
import { ask, get } from '../../support/client.js';
import { startSite } from '../../support/site.js';

describe('theme', () => {
  it('every page of our own begins its style with it', async () => {
    const { port } = await startSite({
      files: { 'www/html/folder/a.html': 'a' },
      options: { post: 'echo', directoryListing: true },
    });
    const replies = [
      await get(port, '/missing.html'),
      await get(port, '/folder/'),
      await ask(port, 'POST /form HTTP/1.1', ['Content-Length: 0']),
    ];
    for (const { body, status } of replies)
      assert.ok(/<style nonce="[^"]+">([^]*)<\/style>/.exec(body)?.[1]?.startsWith(THEME), `${status}: ${body}`);
    assert.deepEqual(
      replies.map(({ body }) => /<title>([^<]*)/.exec(body)?.[1]),
      ['404 Not Found', 'Index of /folder/', 'What the form sent'],
    );
  });

  it('no page repeats a colour, the font or the card of the theme', () => {
    const shared = THEME.match(/#[0-9a-f]{3,6}\b|"Segoe UI"|box-shadow/g) ?? [];
    assert.ok(shared.length >= 13);
    const folder = 'src/server/pages';
    const repeated = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && name !== 'theme.ts')
      .flatMap((name) => {
        const text = readFileSync(path.join(folder, name), 'utf8');
        // A line in the head of the table is a shadow within.
        const found = shared.filter((part) => new RegExp(`${part}(?![0-9a-f]|:inset)`).test(text));
        return found.map((part) => `${name}: ${part}`);
      });
    assert.deepEqual(repeated, []);
  });
});
