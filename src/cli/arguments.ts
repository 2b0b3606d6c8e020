/**
 * The arguments of the command line and its configuration file → what is to be served, and how.
 */
import { readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { lineOf, readConfigText, type LocatedMistake } from './configFile.js';
import { isHostName, isPort } from '../server/config/addressReaders.js';
import {
  DEFAULT_HTTPS,
  DEFAULT_LIVE,
  type Configuration,
  type HttpsConfiguration,
  type LiveConfiguration,
} from '../server/config/types.js';
import { describeSystemError, errorCode } from '../server/util/systemError.js';
import type { ErrorPageOptions, ServerOptions } from '../server/options/serverOptions.js';
import { serverOptions } from '../server/config/defaults.js';
import { accessLogOptions, siteOptions, withoutExposures } from '../server/config/toServerOptions.js';
import type { AccessLogOptions } from '../server/log/accessLogFile.js';

export const USAGE = `Usage: lite-server <ip> <port> [options]

Serves a folder of files over HTTP. Port 0 takes any free port.

  --root DIR          the folder to serve (default www/html)
  --error-pages DIR   where 404.html, 405.html, 4xx.html, … are (default config)
  --config FILE       JSON with settings, like {"errorPages": {"404": "my/404.html"}, "maxConnections": 512}
  --allow-host NAME   answer requests for this host name as well; may be repeated
  --https             encrypt, with a certificate that an authority of this machine signs
  --live              pages in the browser follow the files as they change
  --trace             print every state change of every connection
  --help, --version`;

const OPTIONS = {
  root: { type: 'string' },
  'error-pages': { type: 'string' },
  config: { type: 'string' },
  'allow-host': { type: 'string', multiple: true },
  https: { type: 'boolean' },
  live: { type: 'boolean' },
  trace: { type: 'boolean' },
  help: { type: 'boolean' },
  version: { type: 'boolean' },
} as const;

/** Wrong use (exit status 2) or a value that cannot be used (1), in one line. */
export class CommandError extends Error {
  constructor(
    readonly exitCode: 1 | 2,
    message: string,
  ) {
    super(message);
  }
}

export interface Command {
  readonly server: ServerOptions;
  /** The folder as the user wrote it. */
  readonly rootLabel: string;
  readonly trace: boolean;
  /** Undefined: pages stay as they were loaded. */
  readonly live: LiveConfiguration | undefined;
  readonly log: AccessLogOptions;
  /** Paths are absolute, or empty. */
  readonly https: HttpsConfiguration;
}

/** Reads the arguments; what stands on the command line wins over the configuration file. */
export function readCommand(args: readonly string[]): Command | 'help' | 'version' {
  const { values, positionals } = parse(args);
  if (values.help === true) return 'help';
  if (values.version === true) return 'version';
  const { configuration, folder, lineOf: lineOfSetting } = readConfigFile(values.config);
  const [ip = configuration.ip, port = configuration.port, ...rest] = positionals;
  if (ip === undefined || port === undefined || rest.length > 0)
    throw new CommandError(2, `expected <ip> <port>\n\n${USAGE}`);
  if (isIP(ip) === 0) throw new CommandError(1, `${quote(ip)} is not an IP address: use 127.0.0.1`);
  const portNumber = /^\d{1,5}$/.test(String(port)) ? Number(port) : -1;
  if (!isPort(portNumber))
    throw new CommandError(1, `${quote(String(port))} is not a port: use a number from 0 to 65535`);
  const badHost = values['allow-host']?.find((name) => !isHostName(name));
  if (badHost !== undefined)
    throw new CommandError(1, `--allow-host: ${quote(badHost)} is not a host name without scheme and port`);
  if (values.root === '') throw new CommandError(1, '--root: the folder to serve must have a name');
  const rootLabel =
    values.root ??
    (configuration.root === undefined
      ? 'www/html'
      : path.relative('', path.resolve(folder, configuration.root)) || '.');
  const root = path.resolve(rootLabel);
  const { configuration: safe, mistakes } = withoutExposures(configuration, { base: folder, root });
  if (mistakes.length > 0)
    throw configError(
      values.config ?? '',
      mistakes.map((mistake) => ({ ...mistake, line: lineOfSetting(mistake.key) })),
    );
  const pages = values['error-pages'];
  const site = siteOptions(safe, { base: folder });
  const server = serverOptions({
    ip,
    port: portNumber,
    root,
    rootLabel: labelFor(rootLabel),
    ...site,
    // What nobody named lies where we are, as the root does.
    ...(configuration.mimeTypes === undefined && {
      mimeTypes: { ...site.mimeTypes, file: path.resolve(site.mimeTypes.label), within: process.cwd() },
    }),
    ...(pages !== undefined && { errorPages: readErrorPages(pages) }),
    ...(pages === undefined &&
      configuration.errorPages === undefined && {
        errorPages: { folder: path.resolve('config'), ...CONVENTIONAL_PAGES },
      }),
    allowedHosts: [...(configuration.allowedHosts ?? []), ...(values['allow-host'] ?? [])],
    limits: configuration.limits,
  });
  const live =
    values.live === true || configuration.live?.enabled === true
      ? { ...DEFAULT_LIVE, ...configuration.live }
      : undefined;
  return {
    server,
    rootLabel,
    trace: values.trace === true,
    live,
    log: accessLogOptions(safe, folder),
    https: readHttps(values.https, safe, folder),
  };
}

/** A certificate that the file names is used with `--https` as well. */
function readHttps(wanted: boolean | undefined, { https = {} }: Configuration, folder: string): HttpsConfiguration {
  const { mode, cert, key } = { ...DEFAULT_HTTPS, ...https };
  const absolute = (file: string): string => (file === '' ? '' : path.resolve(folder, file));
  return { mode: wanted === true && mode === 'off' ? 'auto' : mode, cert: absolute(cert), key: absolute(key) };
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw new CommandError(2, `${(error as Error).message.split('. ')[0] as string}\n\n${USAGE}`);
  }
}

/** What a configuration file says, and where it lies: paths in it are relative to its own folder. */
interface ConfigFile {
  readonly configuration: Configuration;
  readonly folder: string;
  /** Line of a setting, from 1. */
  readonly lineOf: (key: string) => number | undefined;
}

function readConfigFile(file: string | undefined): ConfigFile {
  if (file === undefined) return { configuration: { limits: {} }, folder: process.cwd(), lineOf: () => undefined };
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(
      1,
      `--config ${file}: ${describeSystemError(error, 'read') ?? errorCode(error) ?? 'it cannot be read'}`,
    );
  }
  const { configuration, mistakes } = readConfigText(text);
  if (mistakes.length > 0) throw configError(file, mistakes);
  return { configuration, folder: path.dirname(path.resolve(file)), lineOf: (key) => lineOf(key, text) };
}

/** All mistakes in one line, each with the place where it stands: `--config settings.json:7: "port" must be …`. */
function configError(file: string, mistakes: readonly LocatedMistake[]): CommandError {
  const words = mistakes.map(
    ({ key, message, line }) =>
      `${file}${line === undefined ? '' : `:${line}`}: ${key === '' ? message : `${quote(key)} ${message}`}`,
  );
  return new CommandError(1, `--config ${words.join('; ')}`);
}

const ERROR_STATUSES = [
  '400',
  '403',
  '404',
  '405',
  '408',
  '412',
  '413',
  '414',
  '415',
  '416',
  '417',
  '431',
  '500',
  '501',
  '502',
  '503',
  '504',
  '505',
  '4xx',
  '5xx',
];

/** What the arguments say goes before what the file says. */
function readErrorPages(given: string): ErrorPageOptions {
  if (!isFolder(given)) throw new CommandError(1, `--error-pages: the folder ${given} does not exist`);
  return { folder: path.resolve(given), ...CONVENTIONAL_PAGES };
}

const CONVENTIONAL_PAGES = {
  pages: Object.fromEntries(ERROR_STATUSES.map((status) => [status, `${status}.html`])),
  optional: ERROR_STATUSES.map((status) => `${status}.html`),
};

function isFolder(folder: string): boolean {
  try {
    return statSync(folder).isDirectory();
  } catch {
    return false;
  }
}

/** How pages name the folder: as it was written, unless that tells where it lies on this machine. */
function labelFor(root: string): string {
  const relative = path.relative('', root);
  if (relative === '') return path.basename(path.resolve(root));
  return relative.startsWith('..') || path.isAbsolute(relative)
    ? path.basename(root)
    : relative.split(path.sep).join('/');
}

function quote(text: string): string {
  return JSON.stringify(text);
}
