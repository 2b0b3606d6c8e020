/**
 * The document of a preview panel. Everything in it is ours: what comes from the site or the user is put in by its
 * script, as text.
 */
import { randomBytes } from 'node:crypto';
import script from 'lite-server:webview/preview/panel';
import type { PanelConfig } from '../../shared/panelProtocol.js';
import { escapeHtml } from '../../server/util/printable.js';
import { PREVIEW_STYLE } from './previewStyle.js';

/** The page may do what pages do, but not take the place of the panel: no `allow-top-navigation` in any form. */
const SANDBOX = 'allow-scripts allow-forms allow-same-origin allow-popups allow-modals allow-downloads';

/** Paths of icons on a grid of 16, drawn with the colour of the text. */
const ICONS = {
  back: 'M9.5 3 4.5 8l5 5M4.5 8h8',
  forward: 'M6.5 3l5 5-5 5M11.5 8h-8',
  reload: 'M13 8a5 5 0 1 1-1.5-3.6M13 2.2v2.7h-2.7',
  browser: 'M6.5 3.5H3v9.5h9.5V9.5M9 2.5h4.5V7M13.3 2.7 7.5 8.5',
  rotate: 'M2.5 6h5v7.5h-5zM9 13.5h4.5v-5M6.5 3.5h3.5a2.5 2.5 0 0 1 2.5 2.5M8 2 6.5 3.5 8 5',
  pin: 'M10 2.5 13.5 6 12 6.5 9.8 8.7 9.5 12 4 6.5l3.3-.3L9.5 4zM6.5 9.5 2.5 13.5',
} as const;

/** @param config what the script is told */
export function previewHtml(config: PanelConfig): string {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    "default-src 'none'",
    `frame-src ${config.origin ?? "'none'"}`,
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
  ].join('; ');
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Preview</title>
<style nonce="${nonce}">${PREVIEW_STYLE}</style>
</head>
<body data-config="${escapeHtml(JSON.stringify(config))}">
${config.origin === undefined ? nothing(config) : page()}
<script nonce="${nonce}">${script.replace(/<(?=\/script|!--)/gi, '\\x3c')}</script>
</body>
</html>`;
}

function nothing({ isOff }: PanelConfig): string {
  return `<main class="stopped">
<svg class="mark" viewBox="0 0 48 48" aria-hidden="true"><circle cx="24" cy="24" r="4"/><path d="M15 33a13 13 0 0 1 0-18M33 15a13 13 0 0 1 0 18M9.5 38.5a20.5 20.5 0 0 1 0-29M38.5 9.5a20.5 20.5 0 0 1 0 29"/></svg>
<h1>${isOff ? 'The live preview is switched off' : 'The server is stopped'}</h1>
<p id="what"></p>
<button id="start" class="primary" type="button"${isOff ? ' hidden' : ''}>Start</button>
<p id="why" role="status"></p>
</main>`;
}

function page(): string {
  return `<header role="toolbar" aria-label="Preview">
${button('back', 'Back')}${button('forward', 'Forward')}${button('reload', 'Reload')}
<form id="go"><input id="address" type="text" spellcheck="false" autocomplete="off" autocapitalize="off" aria-label="Path of the page" title="Path of the page: Enter goes there"></form>
${button('pin', 'Follow the Active Editor', ' aria-pressed="false"')}
${button('browser', 'Open in Browser')}
<span class="group">
<select id="preset" aria-label="Width of the page" title="Width of the page">
<option value="responsive">Responsive</option><option value="phone">Phone</option><option value="tablet">Tablet</option><option value="laptop">Laptop</option><option value="free">Free</option>
</select>
${button('rotate', 'Rotate')}
<output id="size" title="Width and height of the page in CSS pixels"></output>
</span>
</header>
<main id="stage">
<div id="box">
<iframe id="page" title="The page" sandbox="${SANDBOX}"></iframe>
<div class="handle right" data-resizes="width"></div>
<div class="handle bottom" data-resizes="height"></div>
<div class="handle corner" data-resizes="width height" role="slider" tabindex="0" aria-label="Size of the page: arrow keys change it" aria-valuemin="0" aria-valuemax="10000" aria-valuenow="0"></div>
</div>
</main>`;
}

function button(id: keyof typeof ICONS, title: string, more = ''): string {
  return `<button id="${id}" type="button" title="${title}" aria-label="${title}"${more}><svg viewBox="0 0 16 16" aria-hidden="true"><path d="${ICONS[id]}"/></svg></button>`;
}
