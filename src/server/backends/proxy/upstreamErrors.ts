/**
 * What goes wrong between us and the target of a proxy, in words.
 */
import { BackendFailure } from '../common/backend.js';
import type { ProxyRule } from '../../options/backendRules.js';

const BROKEN_OFF = 'it broke off before it had answered';
const NOT_THERE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is it running?',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name of the host could not be looked up',
  EHOSTUNREACH: 'the host cannot be reached',
  ENETUNREACH: 'the network cannot be reached',
  ECONNRESET: BROKEN_OFF,
  EPIPE: BROKEN_OFF,
  EPROTO: 'it does not speak TLS as we do: is it an http:// server?',
};

export function failureOf(error: unknown, rule: ProxyRule): BackendFailure {
  if (error instanceof BackendFailure) return error;
  const { label, target } = rule;
  const { code = '', message } = error as NodeJS.ErrnoException;
  if (code === 'ETIMEDOUT') return late(rule);
  if (isCertificateTrouble(code))
    return new BackendFailure(
      502,
      'The other server could not prove who it is.',
      `${label}: the certificate of ${target.origin} is not trusted (${code}): with "verify": false it is taken all the same`,
    );
  if (code.startsWith('HPE_')) return nonsense(rule, code);
  const words = NOT_THERE[code.startsWith('ERR_SSL_') ? 'EPROTO' : code] ?? message;
  return new BackendFailure(
    502,
    'The other server could not be asked.',
    `${label}: ${target.origin}: ${words}${code === '' ? '' : ` (${code})`}`,
  );
}

/** Not a sign of life within the time that it has. */
export function late({ label, target, timeout }: ProxyRule): BackendFailure {
  return new BackendFailure(
    504,
    'The other server took too long.',
    `${label}: ${target.origin} did not answer within ${timeout / 1000} seconds`,
  );
}

/** The target's answer is not HTTP/1: told with the rule it was asked by. */
export function nonsense({ label, target }: ProxyRule, detail: string): BackendFailure {
  return malformed(`${label}: what ${target.origin} answers is not HTTP/1: ${detail}`);
}

/** The same for a parser, which knows no rule. */
export function malformed(detail: string): BackendFailure {
  return new BackendFailure(502, 'The other server gave an answer that is none.', detail);
}

function isCertificateTrouble(code: string): boolean {
  return /^(?:CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_|ERR_TLS_CERT)/.test(code);
}
