/**
 * How a preview panel looks: in the colours of the theme, whatever it is.
 */
export const PREVIEW_STYLE = `
*, *::before, *::after { box-sizing: border-box; }
html, body { height: 100%; margin: 0; padding: 0; overflow: hidden; }
body { display: flex; flex-direction: column; background: var(--vscode-editor-background); color: var(--vscode-foreground); font: var(--vscode-font-size, 13px)/1.4 var(--vscode-font-family, system-ui, sans-serif); }

header { flex: none; display: flex; flex-wrap: wrap; align-items: center; gap: 2px; padding: 4px 6px; border-bottom: 1px solid var(--vscode-panel-border, var(--vscode-contrastBorder, transparent)); }
header button { flex: none; display: grid; place-items: center; width: 24px; height: 24px; padding: 0; border: 1px solid transparent; border-radius: 5px; background: none; color: var(--vscode-icon-foreground, inherit); cursor: pointer; }
header button:hover:enabled { background: var(--vscode-toolbar-hoverBackground); outline: 1px dashed var(--vscode-contrastActiveBorder, transparent); outline-offset: -1px; }
header button:active:enabled { background: var(--vscode-toolbar-activeBackground, var(--vscode-toolbar-hoverBackground)); }
header button[aria-pressed="true"] { background: var(--vscode-inputOption-activeBackground); color: var(--vscode-inputOption-activeForeground, inherit); border-color: var(--vscode-inputOption-activeBorder, transparent); }
header button:disabled { opacity: 0.4; cursor: default; }
header svg { width: 16px; height: 16px; fill: none; stroke: currentColor; stroke-width: 1.2; stroke-linecap: round; stroke-linejoin: round; }
header form { flex: 1 1 80px; min-width: 80px; margin: 0 4px; }
header input, header select { height: 24px; padding: 0 7px; border: 1px solid var(--vscode-input-border, transparent); border-radius: 5px; background: var(--vscode-input-background); color: var(--vscode-input-foreground); font: inherit; }
header input { width: 100%; text-overflow: ellipsis; }
header input[aria-invalid="true"] { border-color: var(--vscode-inputValidation-errorBorder); background: var(--vscode-inputValidation-errorBackground); }
header select { padding: 0 2px 0 4px; border-color: var(--vscode-dropdown-border, transparent); background: var(--vscode-dropdown-background); color: var(--vscode-dropdown-foreground); }
header .group { flex: none; display: flex; align-items: center; gap: 2px; }
header output { min-width: 76px; padding: 0 2px; text-align: center; color: var(--vscode-descriptionForeground); font-variant-numeric: tabular-nums; white-space: nowrap; }
:is(header button, header input, header select, .handle, .primary):focus-visible { outline: 1px solid var(--vscode-focusBorder); outline-offset: -1px; }

#stage { flex: 1; min-height: 0; display: flex; overflow: auto; }
#stage:not(.responsive) { padding: 16px; background: var(--vscode-sideBar-background, var(--vscode-editor-background)); }
#box { position: relative; flex: none; margin: auto; }
.responsive #box { width: 100%; height: 100%; }
#stage:not(.responsive) #box { box-shadow: 0 0 0 1px var(--vscode-contrastBorder, var(--vscode-widget-border, rgb(128 128 128 / 0.35))), 0 2px 12px var(--vscode-widget-shadow, transparent); }
/* What is behind a page in a browser: many pages count on it. */
iframe { display: block; width: 100%; height: 100%; border: 0; background: #fff; }
.dragging iframe { pointer-events: none; }
.handle { display: none; position: absolute; touch-action: none; }
.free .handle { display: block; }
.handle.right { top: 0; right: -10px; bottom: 0; width: 10px; cursor: ew-resize; }
.handle.bottom { left: 0; right: 0; bottom: -10px; height: 10px; cursor: ns-resize; }
.handle.corner { right: -12px; bottom: -12px; width: 16px; height: 16px; cursor: nwse-resize; border-radius: 3px; }
.handle.corner::after { content: ""; position: absolute; right: 3px; bottom: 3px; width: 7px; height: 7px; border: solid var(--vscode-icon-foreground, currentColor); border-width: 0 2px 2px 0; }
.handle:is(.right, .bottom)::after { content: ""; position: absolute; }
.handle.right::after { inset: 0 auto 0 0; width: 4px; }
.handle.bottom::after { inset: 0 0 auto 0; height: 4px; }
.handle:is(.right, .bottom):is(:hover, .active)::after { background: var(--vscode-sash-hoverBorder, var(--vscode-focusBorder)); }

.stopped { flex: 1; display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 10px; padding: 24px; text-align: center; }
.stopped .mark { width: 56px; height: 56px; fill: none; stroke: var(--vscode-descriptionForeground); stroke-width: 2.5; stroke-linecap: round; opacity: 0.7; }
.stopped h1 { margin: 0; font-size: 1.35em; font-weight: 500; }
.stopped p { margin: 0; max-width: 46ch; color: var(--vscode-descriptionForeground); overflow-wrap: anywhere; }
.stopped p:empty { display: none; }
.primary { margin-top: 6px; padding: 5px 16px; border: 1px solid var(--vscode-button-border, transparent); border-radius: 5px; background: var(--vscode-button-background); color: var(--vscode-button-foreground); font: inherit; cursor: pointer; }
.primary:hover:enabled { background: var(--vscode-button-hoverBackground); }
.primary:focus-visible { outline-offset: 2px; }
.primary:disabled { opacity: 0.6; cursor: default; }
`;
