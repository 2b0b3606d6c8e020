/**
 * The look of a directory listing: a table in the card of the theme (theme.ts), and icons.
 */

/** Behind the theme. */
export const STYLE = `
:root{--hover:#eef4f6;--folder:#c08a1e;--page:#c2410c;--code:#2563eb;--image:#7c3aed;--media:#be185d;--data:#15803d}
@media (prefers-color-scheme:dark){:root{--hover:#222b35;--folder:#e3b341;--page:#f4945a;--code:#79a8ff;--image:#b794f6;--media:#f27eb2;--data:#5fc98a}}
body{line-height:1.5}
main{max-width:60rem;padding:2rem 0 1.25rem}
header,footer,.note,.empty,.pages{padding-inline:2rem}
a{color:var(--accent);text-decoration:none;border-radius:4px}
a:hover{text-decoration:underline}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
svg{flex:none;width:1.25rem;height:1.25rem;fill:none;stroke:currentColor;stroke-width:1.7;stroke-linecap:round;stroke-linejoin:round}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.label{margin:0;color:var(--soft);font-size:.85rem}
h1{display:flex;flex-wrap:wrap;align-items:center;gap:0 .5rem;margin:.15rem 0 .35rem;font-size:1.5rem;line-height:1.35;font-weight:700;letter-spacing:-.01em;overflow-wrap:anywhere}
h1>*{min-width:0}
h1 a{font-weight:500}
h1 a:has(svg),h1 .top{display:flex;align-items:center;min-height:2rem}
h1 a svg,h1 .top svg{width:1.5rem;height:1.5rem}
h1 .slash{color:var(--soft);font-weight:400}
.row{display:flex;flex-wrap:wrap;align-items:center;justify-content:space-between;gap:.6rem 1rem;margin-bottom:1.1rem}
.row p{margin:0;color:var(--soft)}
.parent{display:inline-flex;align-items:center;gap:.4rem;padding:.3rem .8rem .3rem .6rem;border:1px solid var(--line);border-radius:99px;font-size:.92rem}
.parent:hover{background:var(--hover);text-decoration:none}
.parent svg{width:1.05rem;height:1.05rem;stroke-width:2}
.note{margin:0 0 1.1rem;color:var(--soft);font-size:.92rem}
.empty{margin:0;padding-block:2.5rem;border-top:1px solid var(--line);color:var(--soft);text-align:center}
table{width:100%;border-collapse:collapse;border-top:1px solid var(--line)}
th,td{padding:0;text-align:start;font-weight:400;border-bottom:1px solid var(--line)}
thead th{position:sticky;top:0;z-index:1;background:var(--paper);box-shadow:inset 0 -1px var(--line);border-bottom:0;font-size:.85rem;color:var(--soft)}
thead a,thead .plain{display:flex;align-items:center;gap:.25rem;padding:.5rem .75rem;color:inherit}
thead a:focus-visible,tbody a:focus-visible{outline-offset:-2px}
thead a:hover{color:var(--ink)}
thead svg{width:.9rem;height:.9rem;stroke-width:2.2;opacity:0}
thead a:hover svg{opacity:.6}
thead [aria-sort]{font-weight:600;color:var(--ink)}
thead [aria-sort] svg{opacity:1;color:var(--accent)}
[aria-sort=descending] svg,.next{transform:rotate(180deg)}
tbody tr:last-child>*{border-bottom:0}
tbody tr:hover{background:var(--hover)}
tbody a{display:flex;align-items:center;gap:.7rem;padding:.5rem .75rem;color:inherit;overflow:clip}
tbody a bdi{min-width:0;white-space:pre-wrap;overflow-wrap:anywhere}
tbody td{padding:.5rem .75rem;color:var(--soft);font-size:.92rem;font-variant-numeric:tabular-nums;white-space:nowrap}
tr .name>a{padding-inline-start:2rem}
tr .date>.plain,thead tr .date>a,tbody tr .date{padding-inline-end:2rem}
.size{width:1%;text-align:end}
thead .size>*{justify-content:flex-end}
thead .size svg{order:-1}
.date{width:1%;white-space:nowrap}
.folder{color:var(--folder);fill:currentColor;fill-opacity:.18}
.page{color:var(--page)}.code{color:var(--code)}.image{color:var(--image)}.media{color:var(--media)}.data{color:var(--data)}.text,.font,.archive,.other{color:var(--soft)}
.pages{display:flex;flex-wrap:wrap;align-items:center;justify-content:center;gap:.4rem;padding-block:.9rem;border-top:1px solid var(--line);font-size:.92rem}
.pages a,.pages span{display:inline-flex;align-items:center;gap:.2rem;padding:.3rem .7rem}
.pages a{border:1px solid var(--line);border-radius:99px}
.pages a:hover{background:var(--hover);text-decoration:none}
.pages span{color:var(--soft)}
.pages svg{width:1rem;height:1rem;stroke-width:2}
footer{margin-top:0;padding-top:1.1rem}
@media (max-width:40rem){
body{padding:.75rem .5rem}main{padding-top:1.25rem}
header,footer,.note,.empty,.pages{padding-inline:1rem}
h1{font-size:1.25rem}
thead a,thead .plain,tbody a,tbody td{padding-inline:.4rem}
tbody td{font-size:.82rem}
tr .name>a{padding-inline-start:1rem}
tr .date>.plain,thead tr .date>a,tbody tr .date{padding-inline-end:1rem}
}
@media (max-width:32rem){
.date{white-space:normal}
.date span{white-space:nowrap}
tbody a{gap:.5rem;font-size:.95rem}
tbody td{line-height:1.35}
thead .size svg,thead .date svg{display:none}
thead [aria-sort] svg{display:block}
}
@media (forced-colors:active){a:focus-visible{outline-color:Highlight}}
`;

/** Drawings by name, in a square of 24. */
const DRAWINGS: Readonly<Record<string, string>> = {
  home: '<path d="M4 11.5 12 4.5l8 7M6.5 9.8V19h11V9.8M10 19v-5h4v5"/>',
  up: '<path d="M12 19V5.5M6 11l6-6 6 6"/>',
  arrow: '<path d="M12 19V5.5M6 11l6-6 6 6"/>',
  previous: '<path d="M14.5 6l-6 6 6 6"/>',
  first: '<path d="M17 6l-6 6 6 6M7 6v12"/>',
  folder:
    '<path d="M3.5 7.5a2 2 0 0 1 2-2h3.6a2 2 0 0 1 1.5.7l1.2 1.4h6.7a2 2 0 0 1 2 2v7.4a2 2 0 0 1-2 2h-13a2 2 0 0 1-2-2z"/>',
  other: '<path d="M6 3.5h8L19 8.5v12H6zM13.5 3.5V9H19"/>',
  text: '<path d="M6 3.5h8L19 8.5v12H6zM13.5 3.5V9H19M9 12.5h7M9 16h5"/>',
  page: '<path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM3.5 12h17M12 3.5c2.5 2.5 3.5 5.3 3.5 8.5s-1 6-3.5 8.5c-2.5-2.5-3.5-5.3-3.5-8.5s1-6 3.5-8.5z"/>',
  code: '<path d="M8.5 7.5 4 12l4.5 4.5M15.5 7.5 20 12l-4.5 4.5M13.4 5.5l-2.8 13"/>',
  image: '<path d="M4 5.5h16v13H4zM4 16l4.5-4.5 3.5 3.5 3-3 5 5M9 9.3a.7.7 0 1 1-1.4 0 .7.7 0 0 1 1.4 0"/>',
  media: '<path d="M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM10.2 8.8v6.4l5-3.2z"/>',
  data: '<path d="M9 4.5c-3.5 0-1 6.5-4.5 7.5 3.5 1 1 7.5 4.5 7.5M15 4.5c3.5 0 1 6.5 4.5 7.5-3.5 1-1 7.5-4.5 7.5"/>',
  font: '<path d="M5 19 11.2 5h1.6L19 19M7.6 14h8.8M3.5 19h3M17.5 19h3"/>',
  archive: '<path d="M4 8.5V19h16V8.5M3.5 4.5h17v4h-17zM10 12.5h4"/>',
};

/** What a page says once, for `icon` to refer to. */
export const ICONS = `<svg class="unseen" aria-hidden="true"><defs>${Object.entries(DRAWINGS)
  .map(([name, drawing]) => `<symbol id="${name}" viewBox="0 0 24 24">${drawing}</symbol>`)
  .join('')}</defs></svg>`;

/** Decorative: it says nothing that is not in words beside it. @param look class names, if not that of the drawing */
export function icon(name: string, look = name): string {
  return `<svg class="${look}" aria-hidden="true"><use href="#${name}"/></svg>`;
}

/** Kinds of files, by extension. */
const KINDS: Readonly<Record<string, string>> = {
  page: 'html htm xhtml shtml php phtml',
  code: 'css scss sass less js mjs cjs jsx ts mts cts tsx vue svelte wasm sh py rb pl go rs c h cpp java sql map',
  image: 'png jpg jpeg jpe gif svg webp avif ico bmp tif tiff apng heic jxl',
  media: 'mp4 m4v webm mov mkv avi ogv mp3 m4a ogg oga opus wav flac aac vtt',
  data: 'json jsonl json5 geojson webmanifest xml rss atom yml yaml toml csv tsv glb gltf',
  text: 'txt md markdown rst log pdf doc docx odt rtf tex',
  font: 'woff woff2 ttf otf eot',
  archive: 'zip gz tgz br zst bz2 xz tar 7z rar jar',
};
const KIND_OF = new Map(
  Object.entries(KINDS).flatMap(([kind, extensions]) =>
    extensions.split(' ').map((extension) => [extension, kind] as const),
  ),
);

/** The icon of a file, by its name alone. */
export function fileIcon(name: string): string {
  return icon(KIND_OF.get(name.slice(name.lastIndexOf('.') + 1).toLowerCase()) ?? 'other');
}
