/**
 * Rows: live preview.
 */
import { onOff, words, type SettingRows } from './settingRow.js';
import { readIgnore } from './siteReaders.js';

export const LIVE_SETTINGS = {
  'live.enabled': {
    ...onOff,
    default: true,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Pages update as they are edited: style sheets and images are swapped, the content of a page is changed in place, and only what cannot be done otherwise reloads it. Only pages that use the changed file are touched. When this is off, nothing is watched and nothing is put into pages, and there is no preview panel.',
      readme: 'Pages follow their files.',
    },
  },
  'live.unsaved': {
    ...words({
      htmlAndCss: FOR_MANIFEST && 'HTML, SVG and CSS show as they are typed; scripts when they are saved.',
      off: FOR_MANIFEST && 'Everything shows when it is saved.',
    }),
    default: 'htmlAndCss',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'What open pages show before it is saved.',
      readme: 'What shows as you type; or `off`.',
    },
  },
  'live.ignore': {
    read: readIgnore,
    schema: FOR_MANIFEST && {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[^/!\\\\()\\u0000-\\u001f][^\\\\()\\u0000-\\u001f]*$',
        maxLength: 256,
        patternErrorMessage: 'A glob relative to the served folder, with /, like **/drafts/**.',
      },
      maxItems: 100,
      uniqueItems: true,
    },
    default: [
      '**/.*',
      '**/.*/**',
      '**/node_modules/**',
      '**/*~',
      '**/#*#',
      '**/*.swp',
      '**/*.swx',
      '**/*.tmp',
      '**/*.crswap',
      '**/*___jb_*___',
      '**/4913',
    ],
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Files whose changes update no page: globs relative to the served folder, like `["**/drafts/**"]`. They replace the default, which leaves out hidden files, `node_modules` and what editors write for a moment while they save.',
      readmeDefault: "hidden files, `node_modules`, editors' temporary files",
      readme: 'Globs, relative to the served folder, of what updates no page.',
    },
  },
  'live.problems': {
    ...onOff,
    default: true,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Open pages, in whatever browser, report their errors and warnings (uncaught errors, rejected promises, `console.error`, `console.warn`, files that could not be loaded) to the **Lite Server** log, each with a link to its line.',
      readme: 'Errors of pages go to the log.',
    },
  },
  'live.badge': {
    ...onOff,
    default: true,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'A page that has been without its server for more than three seconds says so in a small badge in its corner.',
      readme: 'A page without its server says so after three seconds.',
    },
  },
} satisfies SettingRows;
