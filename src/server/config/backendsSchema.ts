/**
 * What VS Code checks of the setting `backends` while it is typed; backendReaders.ts reads it.
 */
import type { Schema } from './settingRow.js';

const match: Schema | false = FOR_MANIFEST && {
  type: 'string',
  maxLength: 256,
  pattern:
    '^(?:/(?!/)(?:[^*?\\[\\]{}%\\\\\\u0000-\\u001f/]+(?:/(?!/)|$))*|[^/!\\\\()|"\\u0000-\\u001f]|[^/!\\\\()|"\\u0000-\\u001f][^\\\\()|"\\u0000-\\u001f]*[^/\\\\()|"\\u0000-\\u001f])$',
  patternErrorMessage: 'A path that begins with /, like /api/, or a glob, like **/*.php.',
  markdownDescription: 'A path like `/api/`, which stands for all that is below it, or a glob like `**/*.php`.',
};

const timeout: Schema | false = FOR_MANIFEST && {
  type: 'number',
  minimum: 0.1,
  maximum: 3600,
  default: 30,
  markdownDescription: 'Seconds without a sign of life, after which the answer is 504.',
};

/** @param required members beside `match` and `type` */
function backend(
  type: string,
  markdownDescription: string,
  members: Readonly<Record<string, Schema>>,
  required: readonly string[] = [],
): Schema {
  return {
    type: 'object',
    required: ['match', 'type', ...required],
    additionalProperties: false,
    markdownDescription,
    properties: {
      ...(match && { match }),
      type: { type: 'string', enum: [type], enumDescriptions: [markdownDescription] },
      ...(timeout && { timeout }),
      ...members,
    },
  };
}

function count(standard: number, markdownDescription: string): Schema {
  return { type: 'integer', minimum: 1, maximum: 64, default: standard, markdownDescription };
}

function onOff(standard: boolean, markdownDescription: string): Schema {
  return { type: 'boolean', default: standard, markdownDescription };
}

export const BACKENDS_SCHEMA: Schema | false = FOR_MANIFEST && {
  type: 'array',
  maxItems: 50,
  items: {
    oneOf: [
      backend('php', 'PHP, by `php-cgi`, which is started and ended with the server.', {
        processes: count(4, 'How many pages are made at once.'),
      }),
      backend('cgi', 'Executable files (RFC 3875), one process for each request.', {
        maxProcesses: count(8, 'How many run at once; more have to wait.'),
      }),
      backend(
        'fastcgi',
        'An application that speaks FastCGI, like `php-fpm`.',
        {
          address: {
            type: 'string',
            maxLength: 300,
            pattern:
              '^(?:unix:/[^\\u0000-\\u001f]{1,100}|(?:\\[[0-9A-Fa-f:.]+\\]|[0-9A-Za-z](?:[0-9A-Za-z._-]{0,250}[0-9A-Za-z])?):[0-9]{1,5})$',
            patternErrorMessage: 'Where it listens, like 127.0.0.1:9000 or unix:/run/php/php-fpm.sock.',
            markdownDescription: 'Where it listens, like `127.0.0.1:9000` or `unix:/run/php/php-fpm.sock`.',
          },
          maxConnections: count(8, 'Connections to it at once: not more than it has processes.'),
        },
        ['address'],
      ),
      backend(
        'proxy',
        'Another web server, WebSockets included.',
        {
          target: {
            type: 'string',
            maxLength: 2048,
            pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s?#@]+$',
            patternErrorMessage: 'The address of a server, like http://127.0.0.1:3000.',
            markdownDescription: 'Its address, like `http://127.0.0.1:3000`; a path in it goes in front.',
          },
          stripPrefix: onOff(false, 'Take the matched path off: `/api/users` asks the other server for `/users`.'),
          keepHost: onOff(false, 'Send the `Host` that the browser sent, and not that of the target.'),
          verify: onOff(true, 'Whether the certificate of an `https` target has to be one that this machine trusts.'),
        },
        ['target'],
      ),
    ],
  },
};
