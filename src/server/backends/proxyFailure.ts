/**
 * What goes wrong between us and the target of a proxy, in words.
 */
import { BackendFailure } from './backend.js';
import type { ProxyRule } from './rules.js';

const NOT_THERE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is it running?',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ECONNRESET: 'it broke off before it had answered',
  EPIPE: 'it broke off before it had answered',
  UND_ERR_SOCKET: 'it broke off before it had answered',
  UND_ERR_HEADERS_OVERFLOW: 'the head of its answer is too long',
};
const TOO_LATE = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'UND_ERR_CONNECT_TIMEOUT', 'ETIMEDOUT']);

export function failureOf(error: unknown, { label, target, timeout }: ProxyRule): BackendFailure {
  if (error instanceof BackendFailure) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (TOO_LATE.has(code)) return new BackendFailure(504, 'The other server took too long.', `${label}: ${target.origin} did not answer within ${timeout / 1000} seconds`);
  if (isCertificateTrouble(code)) return new BackendFailure(502, 'The other server could not prove who it is.', `${label}: the certificate of ${target.origin} is not trusted (${code}): with "verify": false it is taken all the same`);
  if (code.startsWith('HPE_')) return new BackendFailure(502, 'The other server gave an answer that is none.', `${label}: what ${target.origin} answers is not HTTP (${code})`);
  return new BackendFailure(502, 'The other server could not be asked.', `${label}: ${target.origin}: ${NOT_THERE[code] ?? message}${code === '' ? '' : ` (${code})`}`);
}

function isCertificateTrouble(code: string): boolean {
  return /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/.test(code);
}
