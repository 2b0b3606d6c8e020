/**
 * Rows: how requests are logged.
 */
import { number, onOff, words, type SettingRows } from './settingRow.js';
import { readLogFile } from './siteReaders.js';

export const LOG_SETTINGS = {
  'accessLog.format': {
    ...words({
      common: FOR_MANIFEST && 'Who, when, what, with which result: the Common Log Format.',
      combined: FOR_MANIFEST && 'The same with the page it came from and the browser: the Combined Log Format.',
      json: FOR_MANIFEST && 'One JSON object a line, with the duration and the connection.',
    }),
    default: 'common',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'How requests are logged, in the **Lite Server** log and in `#liteServer.accessLog.file#`.',
      readme: 'Or `combined`, `json`.',
    },
  },
  'accessLog.file': {
    read: readLogFile,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 4096,
      pattern: '^(?:(?!/|[A-Za-z]:)(?!(?:.*/)?\\.\\.(?:/|$))(?!(?:.*/)?\\.?$)[^\\\\\\u0000-\\u001f\\u007f-\\u009f]+)?$',
      patternErrorMessage: 'The path of a file inside the workspace, with /, like logs/access.log.',
    },
    default: '',
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'A file to log requests to as well, like `logs/access.log`: inside the workspace, relative to its folder, and not in the folder that is served. Empty: none.',
      readme: 'A file for the access log, relative to the workspace; not in a folder that is served.',
    },
  },
  'accessLog.maxSize': {
    ...number({ min: 0, max: 102400, unit: 'MiB' }),
    default: 10,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Size in MiB at which the log file is put aside and a new one begun, like `10`. `0`: never for its size.',
      readme: 'MiB at which the file is put aside.',
    },
  },
  'accessLog.daily': {
    ...onOff,
    default: false,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'A new log file is begun each day, whatever the size of the last one.',
      readme: 'Whether each day has a file of its own.',
    },
  },
  'accessLog.keep': {
    ...number({ min: 1, max: 1000, unit: 'count' }),
    default: 5,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'How many log files that were put aside are kept, like `5`. The oldest goes first.',
      readme: 'How many old files stay.',
    },
  },
} satisfies SettingRows;
