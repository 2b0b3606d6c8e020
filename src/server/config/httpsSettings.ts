/**
 * Rows: encryption.
 */
import { readPemFile } from './backendReaders.js';
import { words, type SettingRows } from './settingRow.js';

export const HTTPS_SETTINGS = {
  'https.mode': {
    ...words({
      off: FOR_MANIFEST && 'Not encrypted.',
      auto:
        FOR_MANIFEST &&
        'With a certificate for this machine, signed by an authority of its own. Browsers have to be told to trust it, with the command “How to Trust the Local Certificate”.',
      files: FOR_MANIFEST && 'With your own certificate and key.',
    }),
    default: 'off',
    scope: 'resource',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest: 'Whether pages are served encrypted, like `auto`. The same port leads plain HTTP to it.',
      readme: 'Or `auto`, `files`.',
    },
  },
  'https.cert': {
    read: readPemFile,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 4096,
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      patternErrorMessage: 'The absolute path of a file in PEM format, like /home/me/certs/localhost.pem.',
    },
    default: '',
    scope: 'machine',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'Your certificate for `#liteServer.https.mode#` `files`: the absolute path of a PEM file with the certificate first and then whoever signed it, like `/home/me/certs/localhost.pem`. Only from your own settings, never from a workspace.',
      readme: 'Your own certificate. From your own settings only.',
    },
  },
  'https.key': {
    read: readPemFile,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 4096,
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      patternErrorMessage: 'The absolute path of a file in PEM format, like /home/me/certs/localhost-key.pem.',
    },
    default: '',
    scope: 'machine',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'Its key: the absolute path of a PEM file, like `/home/me/certs/localhost-key.pem`. A passphrase is asked for, and kept in the secret storage. Only from your own settings, never from a workspace.',
      readme: 'Its key. From your own settings only.',
    },
  },
} satisfies SettingRows;
