/**
 * Settings → what the server of a folder, its log and its live preview are told: the same way when it starts and when
 * settings change while it runs.
 */
import { realpath } from 'node:fs/promises';
import type * as vscode from 'vscode';
import type { AccessLogOptions } from '../../server/log/accessLogFile.js';
import type { Configuration, LiveConfiguration, Mistake } from '../../server/config/types.js';
import type { ServerOptions } from '../../server/options/serverOptions.js';
import type { Core } from '../common/core.js';
import { confirmExposure } from './exposure.js';
import { locationsOfPages, settledMounts } from './realLocations.js';
import { labelOf } from './rootFolder.js';

/** What belongs to a site beside its settings. */
export interface SitePlace {
  readonly folder: vscode.WorkspaceFolder;
  /** Absolute path of the folder that is served, links followed. */
  readonly root: string;
  /** What was agreed to. */
  readonly memory: vscode.Memento;
  /** What held before; undefined: nothing did. */
  readonly before: Configuration | undefined;
}

/** What follows from a configuration. */
export interface SiteSetup {
  /** What holds. */
  readonly configuration: Configuration;
  /** Without port and certificate. */
  readonly options: ServerOptions;
  readonly log: AccessLogOptions;
  readonly live: LiveConfiguration;
  /** What belongs to the site and lies outside its root. Absolute paths, links followed. */
  readonly elsewhere: { readonly folders: readonly string[]; readonly files: readonly string[] };
  readonly mistakes: readonly Mistake[];
}

/** @returns undefined when the user does not want what it would show */
export async function setUpSite(
  core: Core,
  given: Configuration,
  { folder, root, memory, before }: SitePlace,
): Promise<SiteSetup | undefined> {
  const workspace = await realpath(folder.uri.fsPath);
  const folders = { base: workspace, root };
  const safe = core.withoutExposures(given, folders);
  // What held before may have been fine for another root.
  const kept = core.keepLastGood(safe.configuration, safe.mistakes, before);
  const { configuration } = core.withoutExposures(kept, folders);
  const { ip = core.defaultOf('ip'), allowedHosts = [], limits } = configuration;
  const site = core.siteOptions(configuration, { base: workspace });
  const mounts = await settledMounts(site.mounts ?? [], workspace, core.realLocationOf);
  const places = mounts.map(({ place }) => place);
  if (!(await confirmExposure(memory, { ip, root, mounts: places }, workspace))) return undefined;
  const rootLabel = labelOf(root, workspace);
  const options = core.serverOptions({ ...site, ip, port: 0, root, rootLabel, mounts, allowedHosts, limits });
  return {
    configuration,
    options,
    log: core.accessLogOptions(configuration, workspace),
    live: { ...core.DEFAULT_LIVE, ...configuration.live },
    elsewhere: { folders: places, files: await locationsOfPages(options.errorPages, core.realLocationOf) },
    mistakes: safe.mistakes,
  };
}
