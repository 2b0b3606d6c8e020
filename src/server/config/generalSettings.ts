/**
 * Rows: where the server listens and what it serves.
 */
import { readHosts, readIp, readPort } from './addressReaders.js';
import { words, type SettingRows } from './settingRow.js';
import { readErrorPages, readRoot } from './siteReaders.js';

export const GENERAL_SETTINGS = {
  ip: {
    read: readIp,
    schema: FOR_MANIFEST && {
      type: 'string',
      pattern: '^(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*)$',
      patternErrorMessage: 'An IP address, like 127.0.0.1 or ::1.',
    },
    default: '127.0.0.1',
    scope: 'resource',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'The IP address the server binds, exactly. `127.0.0.1` is reachable from this machine only; with `0.0.0.0` everyone on the network can read the site, so that is asked about first.',
      readme: 'The address to bind, exactly. Anything beyond this machine is asked about once.',
    },
  },
  port: {
    read: readPort,
    schema: FOR_MANIFEST && { type: 'integer', minimum: 0, maximum: 65535 },
    default: 8080,
    scope: 'resource',
    trust: 'any',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'The port to listen on, like `8080`. When it is taken, the next free one is used and you are told. Unless you set it, a workspace keeps the port it had last time. `0` takes any free port.',
      readme:
        'The next free one is used when it is taken, and you are told. Unless you set it, a workspace keeps its port.',
    },
  },
  root: {
    read: readRoot,
    schema: FOR_MANIFEST && { type: 'string' },
    default: 'www/html',
    scope: 'resource',
    trust: 'restricted',
    effect: 'restart',
    texts: FOR_MANIFEST && {
      manifest:
        'The folder to serve, relative to the workspace folder, like `www/html` or `.`. A folder outside the workspace is asked about first.',
      readme: 'The folder to serve, relative to the workspace folder.',
    },
  },
  errorPages: {
    read: readErrorPages,
    schema: FOR_MANIFEST && {
      type: 'object',
      patternProperties: {
        '^[45](?:[0-9][0-9]|xx)$': {
          type: 'string',
          pattern: '^(?!/|[A-Za-z]:)(?!(?:.*/)?\\.\\.(?:/|$))(?!(?:.*/)?\\.?$)[^\\\\\\u0000-\\u001f\\u007f-\\u009f]+$',
          maxLength: 4096,
          patternErrorMessage: 'The path of a page inside the workspace, with /, like config/404.html.',
        },
      },
      additionalProperties: false,
    },
    default: { '404': 'config/404.html', '405': 'config/405.html' },
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    merged: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Your own pages for errors, by status (`404`) or class (`4xx`, `5xx`): paths relative to the workspace folder, like `{"404": "config/404.html"}`. Where a page is missing, a built-in one is shown.',
      readme: 'Your pages by status (`404`) or class (`4xx`).',
    },
  },
  openOnStart: {
    ...words({
      preview: FOR_MANIFEST && 'Show the page that is being edited in a panel beside it.',
      browser: FOR_MANIFEST && 'Open the site in your browser.',
      integratedBrowser: FOR_MANIFEST && "Open the site in VS Code's own browser; where there is none, in yours.",
      nothing: FOR_MANIFEST && 'Open nothing.',
    }),
    default: 'browser',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'What to open when the server has started.',
      readme: "Or `preview` (the panel), `integratedBrowser` (VS Code's own, where there is one), `nothing`.",
    },
  },
  allowedHosts: {
    read: readHosts,
    schema: FOR_MANIFEST && {
      type: 'array',
      items: { type: 'string', pattern: '^[0-9A-Za-z:][0-9A-Za-z._:-]*$' },
      uniqueItems: true,
      maxItems: 1000,
    },
    default: [],
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Host names under which a container or a tunnel reaches the server, like `["box.local"]`, without scheme and port. Requests for any other name than our own addresses and `localhost` are refused, which keeps other web sites from reading yours.',
      readme: 'Host names under which a container or tunnel reaches the server.',
    },
  },
} satisfies SettingRows;
