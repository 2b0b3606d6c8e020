import assert from 'node:assert/strict';
import { DocumentReader } from '../../src/live/documentReader.js';
import type { OutgoingDocument } from '../../src/server/options/hooks.js';

const SCRIPT = 'live.js';

function documentOf(text: string): OutgoingDocument {
  return { path: '/', realPath: '/index.html', status: 200, mediaType: 'text/html', beginning: Buffer.from(text) };
}

describe('documentReader', () => {
  it('answers with a promise while its code is not loaded, then at once', async () => {
    const reader = new DocumentReader();
    const document = documentOf('<!doctype html><p>');
    const first = reader.insertionFor(document, SCRIPT);
    assert.ok(first instanceof Promise);
    const insertion = await first;
    assert.equal(insertion?.at, '<!doctype html>'.length);
    assert.deepEqual(reader.insertionFor(document, SCRIPT), insertion);
  });

  it('nothing goes into a document that says so, loaded or not', async () => {
    const reader = new DocumentReader();
    const document = documentOf('<html data-lite-server-ignore>');
    assert.equal(await reader.insertionFor(document, SCRIPT), undefined);
    assert.equal(reader.insertionFor(document, SCRIPT), undefined);
  });

  it('decodes by what the document says of itself', async () => {
    assert.equal(
      await new DocumentReader().decode(Buffer.from('<meta charset=latin1>\xe9', 'latin1')),
      '<meta charset=latin1>é',
    );
  });
});
