/**
 * The look that the pages of our own share: the palette, light and dark, the base, and the card that holds the content.
 * Each page adds the rules that are its own behind it.
 */
export const THEME = `
:root{--ink:#1d2733;--soft:#5b6875;--paper:#f6f8fa;--card:#fff;--line:#dde3e9;--accent:#0b7285}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf0;--soft:#9aa7b4;--paper:#12171d;--card:#1a2129;--line:#2c3641;--accent:#4cc3d9}}
*{box-sizing:border-box}
body{margin:0;padding:2rem 1.5rem;background:var(--paper);color:var(--ink);font:1rem/1.6 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{margin:0 auto;padding:2rem;background:var(--card);border:1px solid var(--line);border-radius:14px;box-shadow:0 12px 40px rgb(0 0 0/.07)}
footer{margin-top:1.75rem;padding-top:1rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}
`;
