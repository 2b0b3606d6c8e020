// The pool alone: the library's main module brings fetch, caches and mocks along.
declare module 'undici/lib/dispatcher/pool.js' {
  import { Pool } from 'undici';

  export default Pool;
}
