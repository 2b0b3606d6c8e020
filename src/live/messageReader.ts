/**
 * What a page says → a checked value, or undefined: whoever opens a connection may send anything.
 */
import type { FromPage } from '../shared/liveProtocol.js';

const MAX_PATHS = 500;

/** @returns undefined for whatever is not exactly one of the messages a page may send */
export function readMessage(text: string): FromPage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const message = value as Readonly<Record<string, unknown>>;
  switch (message['type']) {
    case 'hello':
      return readHello(message);
    case 'used':
      return readUsed(message);
    case 'problem':
      return readProblem(message);
    default:
      return undefined;
  }
}

function readHello({ url, status, since, root }: Readonly<Record<string, unknown>>): FromPage | undefined {
  if (!isSitePath(url) || !isSitePath(root) || !root.endsWith('/')) return undefined;
  if (typeof status !== 'number' || !Number.isInteger(status) || status < 100 || status > 599) return undefined;
  if (typeof since !== 'number' || !Number.isFinite(since) || since < 0) return undefined;
  return { type: 'hello', url, status, since, root };
}

function readUsed({ paths, age }: Readonly<Record<string, unknown>>): FromPage | undefined {
  if (!Array.isArray(paths) || paths.length > MAX_PATHS || !paths.every(isSitePath)) return undefined;
  if (age !== undefined && (typeof age !== 'number' || !(age >= 0 && age < Infinity))) return undefined;
  return { type: 'used', paths, ...(age !== undefined && { age }) };
}

function readProblem({ level, message, path, line, column }: Readonly<Record<string, unknown>>): FromPage | undefined {
  if ((level !== 'error' && level !== 'warning') || typeof message !== 'string') return undefined;
  if ((path !== undefined && !isSitePath(path)) || !isPosition(line) || !isPosition(column)) return undefined;
  return {
    type: 'problem',
    level,
    message,
    ...(path !== undefined && { path }),
    ...(line !== undefined && { line }),
    ...(column !== undefined && { column }),
  };
}

function isSitePath(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith('/');
}

/** A line or a column, from 1, or nothing. */
function isPosition(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === 'number' && Number.isInteger(value) && value > 0);
}
