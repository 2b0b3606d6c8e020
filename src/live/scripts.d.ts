/** Browser code as text; the build makes it from src/page (see `browserScripts` in esbuild.mjs). */
declare module 'lite-server:page' {
  const script: string;
  export default script;
}
declare module 'lite-server:panel' {
  const script: string;
  export default script;
}
