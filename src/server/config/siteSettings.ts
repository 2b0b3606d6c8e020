/**
 * Rows: which files stand for paths, and with which fields they are sent.
 */
import { readHeaders } from './headerReader.js';
import { onOff, type SettingRows } from './settingRow.js';
import {
  readCacheControl,
  readDefaultType,
  readFallback,
  readIndex,
  readMimeTypes,
  readMounts,
  readOrigins,
} from './siteReaders.js';
import { DEFAULT_TYPE } from '../options/serverOptions.js';

export const SITE_SETTINGS = {
  index: {
    read: readIndex,
    schema: FOR_MANIFEST && {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[^./\\\\\\u0000-\\u001f\\u007f-\\u009f][^/\\\\\\u0000-\\u001f\\u007f-\\u009f]*$',
        maxLength: 255,
        patternErrorMessage: 'The name of a file, like index.html, without / and not hidden.',
      },
      maxItems: 10,
      uniqueItems: true,
    },
    default: ['index.html'],
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'The files that stand for their folder: the first of them that is there, like `["index.html", "index.htm"]`.',
      readme: 'What is tried, in this order, in a folder.',
    },
  },
  directoryListing: {
    ...onOff,
    default: true,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'A folder without an index shows what is in it. When this is `false`, the answer is 404. Hidden files are never listed.',
      readme: 'A folder without an index is listed; else it is 404.',
    },
  },
  cleanUrls: {
    ...onOff,
    default: true,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Addresses work without `.html`: `/about` shows `about.html`. A file of that very name comes first; a folder of that name is meant with a slash behind it.',
      readme: '`/about` leads to `about.html`.',
    },
  },
  spaFallback: {
    read: readFallback,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 1024,
      pattern:
        '^(?:[^./\\\\\\u0000-\\u001f\\u007f-\\u009f][^/\\\\\\u0000-\\u001f\\u007f-\\u009f]*(?:/[^./\\\\\\u0000-\\u001f\\u007f-\\u009f][^/\\\\\\u0000-\\u001f\\u007f-\\u009f]*)*)?$',
      patternErrorMessage: 'The path of a page relative to the served folder, like index.html.',
    },
    default: '',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'The page that answers where no file is, like `index.html`: for apps that have their routes in the browser. It is relative to the served folder and shown for addresses that are opened in the browser, never in place of a missing script or image. Empty: 404.',
      readme:
        'A page, like `index.html`, that answers every navigation to nothing: for sites that make their pages in the browser.',
    },
  },
  mounts: {
    read: readMounts,
    schema: FOR_MANIFEST && {
      type: 'object',
      maxProperties: 50,
      patternProperties: {
        '^/[^./\\\\\\u0000-\\u001f\\u007f-\\u009f][^/\\\\\\u0000-\\u001f\\u007f-\\u009f]*(?:/[^./\\\\\\u0000-\\u001f\\u007f-\\u009f][^/\\\\\\u0000-\\u001f\\u007f-\\u009f]*)*/?$':
          {
            type: 'string',
            pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]+$',
            maxLength: 4096,
            patternErrorMessage: 'The path of a folder, like ../packages/lib/dist.',
          },
      },
      additionalProperties: false,
    },
    default: {},
    scope: 'resource',
    trust: 'trusted only',
    effect: 'at once',
    merged: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Other folders to serve below a path of the site, like `{"/lib": "../packages/lib/dist"}`. They are relative to the workspace folder and may lie outside of it. They count in trusted workspaces only.',
      readme:
        'Other folders below paths of the site, like `{"/lib": "packages/lib/dist"}`. Only in a workspace you trust.',
    },
  },
  headers: {
    read: readHeaders,
    schema: FOR_MANIFEST && {
      type: 'object',
      maxProperties: 100,
      patternProperties: {
        '^/?[^/!\\\\()\\u0000-\\u001f](?:[^\\\\()\\u0000-\\u001f]*[^/\\\\()\\u0000-\\u001f])?$': {
          type: 'object',
          maxProperties: 50,
          patternProperties: {
            "^(?!(?:[Aa]ccept-[Rr]anges|[Aa]llow|[Cc]onnection|[Cc]ontent-[Ee]ncoding|[Cc]ontent-[Ll]ength|[Cc]ontent-[Rr]ange|[Cc]ontent-[Tt]ype|[Dd]ate|[Ee][Tt]ag|[Kk]eep-[Aa]live|[Ll]ast-[Mm]odified|[Ll]ocation|[Pp]roxy-[Cc]onnection|[Tt][Ee]|[Tt]railer|[Tt]ransfer-[Ee]ncoding|[Uu]pgrade|[Vv]ary|[Xx]-[Cc]ontent-[Tt]ype-[Oo]ptions)$|[Aa]ccess-[Cc]ontrol-)[!#-'*+\\-.^_`|~0-9A-Za-z]+$":
              {
                type: 'string',
                pattern: '^[\\t -~\\u00a0-\\u00ff]*$',
                maxLength: 4096,
                patternErrorMessage: 'One line without control characters.',
              },
          },
          additionalProperties: false,
        },
      },
      additionalProperties: false,
    },
    default: {},
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    merged: true,
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Header fields for the files whose path fits a glob, like `{"assets/**": {"Cache-Control": "max-age=3600"}}`. Of several globs that fit and name the same field, the last one wins. Fields that the server answers for itself, like `Content-Length`, cannot be set; for `Content-Type` there is `#liteServer.mimeTypes#`, for `Access-Control-Allow-Origin` there is `#liteServer.cors#`.',
      readme: 'Header fields by glob, like `{"assets/**": {"Cache-Control": "max-age=3600"}}`.',
    },
  },
  cacheControl: {
    read: readCacheControl,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 256,
      pattern:
        '^[!#-\'*+\\-.^_`|~0-9A-Za-z]+(?:=(?:[!#-\'*+\\-.^_`|~0-9A-Za-z]+|"[ !#-[\\]-~]*"))?(?: *, *[!#-\'*+\\-.^_`|~0-9A-Za-z]+(?:=(?:[!#-\'*+\\-.^_`|~0-9A-Za-z]+|"[ !#-[\\]-~]*"))?)*$',
      patternErrorMessage: 'What a Cache-Control field has, like no-cache or public, max-age=3600.',
    },
    default: 'no-cache',
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'The `Cache-Control` of files, like `public, max-age=3600`. With `no-cache`, browsers ask each time whether a file has changed, and nothing is ever stale.',
      readme: 'The `Cache-Control` of files: browsers keep them and ask each time whether they still hold.',
    },
  },
  cors: {
    read: readOrigins,
    schema: FOR_MANIFEST && {
      type: 'array',
      items: {
        type: 'string',
        pattern: '^[Hh][Tt][Tt][Pp][Ss]?://[^\\s/?#@*%,\\\\]+$',
        patternErrorMessage: 'An origin, exactly: scheme, host and port, like http://localhost:3000.',
      },
      maxItems: 100,
      uniqueItems: true,
    },
    default: [],
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'Origins whose pages may read this site, like `["http://localhost:3000"]`: scheme, host and port, exactly. Pages of all others are refused.',
      readme: 'Origins whose pages may read the site, like `["http://localhost:3000"]`.',
    },
  },
  precompressed: {
    ...onOff,
    default: false,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    option: true,
    texts: FOR_MANIFEST && {
      manifest:
        'A file that lies compressed beside itself, like `app.js.br` or `app.js.gz`, is sent so to browsers that can read it, unless it is older. Pages that live preview puts its script into are sent as they are.',
      readme:
        '`app.js.br` or `app.js.gz` goes in place of `app.js`, unless it is older. (With live preview, pages themselves go as they are.)',
    },
  },
  mimeTypes: {
    read: readMimeTypes,
    schema: FOR_MANIFEST && {
      type: 'string',
      maxLength: 4096,
      pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$',
      patternErrorMessage: 'The path of a file, like config/mime.types.',
    },
    default: 'config/mime.types',
    scope: 'resource',
    trust: 'restricted',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest:
        'Your own content types: a file as nginx or Apache has it, with lines like `model/gltf-binary glb`, relative to the workspace folder. It goes before the types that are built in, and is read again when it changes. Empty: no such file.',
      readme: 'Your own content types, in the form of nginx or Apache.',
    },
  },
  defaultType: {
    read: readDefaultType,
    schema: FOR_MANIFEST && {
      type: 'string',
      pattern: '^[0-9A-Za-z][0-9A-Za-z!#$&^_.+\\-]{0,126}/[0-9A-Za-z][0-9A-Za-z!#$&^_.+\\-]{0,126}$',
      patternErrorMessage: 'A media type without parameters, like text/plain.',
    },
    default: DEFAULT_TYPE,
    scope: 'resource',
    trust: 'any',
    effect: 'at once',
    texts: FOR_MANIFEST && {
      manifest: 'The content type of files whose ending nobody knows, like `text/plain`.',
      readme: 'The content type of a name whose extension is not known.',
    },
  },
} satisfies SettingRows;
