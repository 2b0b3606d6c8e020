/**
 * A script of the site, as the resolver finds it.
 */

/** A script of the site: a regular file below the root, found by the resolver. */
export interface Script {
  /** Absolute, links followed: what is run. */
  readonly realPath: string;
  /** The folder it lies below: the root, or that of a mount. Absolute, links followed. */
  readonly root: string;
  /** Its path in the site, decoded, with a leading slash: SCRIPT_NAME (RFC 3875 §4.1.13). */
  readonly name: string;
  /** What follows it in the path, decoded, with a leading slash; or empty: PATH_INFO (RFC 3875 §4.1.5). */
  readonly pathInfo: string;
}
