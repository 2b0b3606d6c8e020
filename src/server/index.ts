/**
 * The server as others load it: one module, so that the editor can fetch all of it at once when it is first needed.
 */
export { openAccessLog } from './log/accessLogFile.js';
export { describeListenError } from './listener/listenError.js';
export { DEFAULT_HTTPS, DEFAULT_LIVE } from './config/types.js';
export { defaultOf } from './config/settings.js';
export { keepLastGood, keepUntilRestart } from './config/lastGood.js';
export { serverOptions } from './config/defaults.js';
export { localCertificate, localNames } from './tls/localAuthority.js';
export { createServer } from './server.js';
export { CertificateError, loadTls } from './tls/certificateFiles.js';
export { trustInstructions } from './tls/trustInstructions.js';
export { realLocationOf as realLocationOf } from './files/openVerified.js';
export { accessLogOptions, siteOptions, withoutExposures } from './config/toServerOptions.js';
