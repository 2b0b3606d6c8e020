/**
 * Where the server listens, and under which names it is reached.
 */
import { isIP } from 'node:net';
import { listReader, textReader, wrong } from './readers.js';
import type { Mistake } from './readers.js';

const MAX_HOSTS = 1000;

export const readIp = textReader((text) => isIP(text) !== 0, 'must be an IP address, like "127.0.0.1"');

export function readPort(value: unknown, key: string, mistakes: Mistake[]): number | undefined {
  return isPort(value) ? value : wrong(mistakes, key, 'must be a whole number from 0 to 65535 (0: any free port)');
}

export const readHosts = listReader({
  max: MAX_HOSTS,
  message: 'must be a list of host names, like ["box.local"]',
  items: 'names',
  read: textReader(isHostName, 'must be a host name without scheme and port, like "box.local"'),
});

/** 0 to 65535. */
export function isPort(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65535;
}

/** A name or an address as it stands in a Host field, without port. */
export function isHostName(name: string): boolean {
  return /^[0-9A-Za-z](?:[0-9A-Za-z._-]*[0-9A-Za-z])?$/.test(name) || isIP(name) !== 0;
}
