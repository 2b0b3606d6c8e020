/**
 * Set by the build: true where the manifest and the README are made, and in tests; false in what ships, which has the
 * texts of settings in its manifest already.
 */
declare const FOR_MANIFEST: boolean;
