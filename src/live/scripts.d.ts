/** Browser code as text; the build makes it from src/page and src/webview (see `browserScripts` in esbuild.mjs). */
declare module 'lite-server:page/page' {
  const script: string;
  export default script;
}
declare module 'lite-server:webview/preview/panel' {
  const script: string;
  export default script;
}
