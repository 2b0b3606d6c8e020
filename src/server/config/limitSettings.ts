/**
 * Rows: bounds of the server.
 */
import { limit, type SettingRows } from './settingRow.js';

export const LIMIT_SETTINGS = {
  maxConnections: {
    ...limit('maxConnections', { min: 1, max: 100_000, unit: 'count' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Connections open at the same time. At the limit, the one that has been idle longest makes room for a new one.',
      readme: 'At the limit, the connection that has been idle longest makes room.',
    },
  },
  maxHeaderBytes: {
    ...limit('maxHeaderBytes', { min: 1024, max: 1024 * 1024, unit: 'bytes' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Most bytes in the header fields of a request (431 beyond it).',
      readme: 'Larger header fields are refused (431).',
    },
  },
  maxHeaderFields: {
    ...limit('maxHeaderFields', { min: 10, max: 10_000, unit: 'count' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Most header fields in a request (431 beyond it).',
      readme: 'More header fields are refused (431).',
    },
  },
  maxTargetBytes: {
    ...limit('maxTargetBytes', { min: 256, max: 64 * 1024, unit: 'bytes' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Most bytes in the target of a request, path and query together (414 beyond it).',
      readme: 'A longer request target is refused (414).',
    },
  },
  maxBodySize: {
    ...limit('maxBodySize', { min: 1, max: 1024 * 1024, unit: 'MiB' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Most MiB that a form or an upload may send (413 beyond it).',
      readme: 'MiB that a form or an upload may have; more is 413.',
    },
  },
  headerTimeout: {
    ...limit('headerTimeout', { min: 0.1, max: 3600, unit: 'seconds' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Seconds a request may take to arrive (408 after it).',
      readme: 'Seconds for a request to arrive.',
    },
  },
  idleTimeout: {
    ...limit('idleTimeout', { min: 0.1, max: 86_400, unit: 'seconds' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'Seconds a connection may wait for its next request.',
      readme: 'Seconds for the next request to come.',
    },
  },
  stallTimeout: {
    ...limit('stallTimeout', { min: 0.1, max: 86_400, unit: 'seconds' }),
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Seconds in which a client must make room for more of a response, as the system tells it: a very slow reader may need more.',
      readme: 'Seconds for a client to make room for more (as the system tells it).',
    },
  },
} satisfies SettingRows;
