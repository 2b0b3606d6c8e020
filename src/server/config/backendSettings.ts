/**
 * Rows: what answers in place of files.
 */
import { readBackends, readProgram } from './backendReaders.js';
import { BACKENDS_SCHEMA } from './backendsSchema.js';
import { words, type SettingRows } from './settingRow.js';

export const BACKEND_SETTINGS = {
  backends: {
    read: readBackends,
    schema: BACKENDS_SCHEMA,
    default: [],
    scope: 'resource',
    trust: 'trusted only',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'What answers requests in place of a file; the first that fits. PHP: `[{"match": "**/*.php", "type": "php"}]`; scripts: `[{"match": "/cgi-bin/", "type": "cgi"}]`; an application that listens: `[{"match": "**/*.php", "type": "fastcgi", "address": "127.0.0.1:9000"}]`; another server: `[{"match": "/api/", "type": "proxy", "target": "http://127.0.0.1:3000"}]`. Only in a trusted workspace.',
      readme: 'What answers in place of files: `php`, `cgi`, `fastcgi`, `proxy`. Only in a workspace you trust.',
    },
  },
  post: {
    ...words({
      refuse: FOR_MANIFEST && 'A form that is sent to a file is refused (405), with a page that says why.',
      echo: FOR_MANIFEST && 'The answer is a page that shows what arrived. Nothing is stored.',
    }),
    default: 'refuse',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest: 'What becomes of a form that no backend answers, like `echo` to see what it sends.',
      readme: 'Or `echo`: a page that shows what a form has sent.',
    },
  },
  'php.path': {
    read: readProgram,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 4096,
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      patternErrorMessage: 'The absolute path of php-cgi, like /usr/bin/php-cgi.',
    },
    default: '',
    scope: 'machine',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'The program that runs PHP for `#liteServer.backends#`: the absolute path of `php-cgi`, like `/usr/bin/php-cgi`. Empty: it is looked for. Only from your own settings, never from a workspace.',
      readme: 'The program `php-cgi`, where it is not found. From your own settings only.',
    },
  },
} satisfies SettingRows;
