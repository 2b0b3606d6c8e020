/**
 * The server as others load it: one module, so that the editor can fetch all of it at once when it is first needed.
 */
export { openAccessLog } from './accessLogFile.js';
export { describeListenError } from './listenError.js';
export { keepLastGood } from './lastGood.js';
export { serverOptions } from './options.js';
export { localCertificate, localNames } from './localCertificate.js';
export { createServer } from './server.js';
export { CertificateError, loadTls } from './tls.js';
export { trustInstructions } from './trust.js';
export { realPlaceOf } from './verify.js';
export { accessLogOptions, siteOptions, withoutExposures } from './siteOptions.js';
