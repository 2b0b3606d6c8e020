/**
 * What a server would show to whom beyond the workspace and this machine: asked once in a modal, remembered for the
 * workspace.
 */
import { realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import * as vscode from 'vscode';
import { isLoopbackAddress } from '../../server/http/authority.js';
import { isWithin } from '../../server/util/paths.js';

const KEY = 'confirmedExposures';

/** What a server would show, and to whom. */
export interface Shown {
  readonly ip: string;
  /** Real path of the folder to serve. */
  readonly root: string;
  /** Where mounts lead, links followed. */
  readonly mounts: readonly string[];
}

/**
 * Asks about everything unusual that has not been agreed to yet.
 * @param workspace real path of the workspace folder
 * @returns false when the user does not want it
 */
export async function confirmExposure(
  memory: vscode.Memento,
  { ip, root, mounts }: Shown,
  workspace: string,
): Promise<boolean> {
  const home = await realpath(homedir()).catch(() => homedir());
  const unusual = [
    ...exposures(ip, root, workspace, home),
    ...mounts.flatMap((folder) => mountExposures(folder, workspace, home)),
  ];
  if (unusual.length > 0 && !vscode.workspace.isTrusted) {
    void vscode.window.showWarningMessage(
      `Lite Server: in a workspace that is not trusted, only its own folders are served, and only to this machine. ${unusual.map(([key]) => key).join(', ')}: refused.`,
    );
    return false;
  }
  const agreed = memory.get<readonly string[]>(KEY, []);
  for (const [key, question, detail] of unusual) {
    if (agreed.includes(key)) continue;
    const answer = await vscode.window.showWarningMessage(question, { modal: true, detail }, SERVE);
    if (answer !== SERVE) return false;
    await memory.update(KEY, [...memory.get<readonly string[]>(KEY, []), key]);
  }
  return true;
}

const SERVE = 'Serve It';

type Exposure = readonly [key: string, question: string, detail: string];

/** What is unusual about an address and a folder. */
export function exposures(ip: string, root: string, workspace: string, home = homedir()): Exposure[] {
  const found: Exposure[] = [];
  if (!isLoopbackAddress(ip)) {
    found.push([
      `ip ${ip}`,
      `Let other machines reach this site at ${ip}?`,
      'liteServer.ip is not a loopback address: everyone on the network can read every file that is served.',
    ]);
  }
  if (isWithin(root, home)) {
    found.push([
      `root ${root}`,
      `Serve ${root}?`,
      'This folder holds your home folder: every page opened through the server could read all of it.',
    ]);
  } else if (!isWithin(workspace, root)) {
    found.push([
      `root ${root}`,
      `Serve ${root}?`,
      'The folder (liteServer.root, or a link it goes through) lies outside the workspace: every page opened through the server can read what is in that folder.',
    ]);
  }
  return found;
}

/** The same for a folder that is served below a path (liteServer.mounts). */
export function mountExposures(folder: string, workspace: string, home = homedir()): Exposure[] {
  if (isWithin(folder, home))
    return [
      [
        `mount ${folder}`,
        `Serve ${folder} as well?`,
        'This folder (liteServer.mounts) holds your home folder: every page opened through the server could read all of it.',
      ],
    ];
  if (isWithin(workspace, folder)) return [];
  return [
    [
      `mount ${folder}`,
      `Serve ${folder} as well?`,
      'The folder (liteServer.mounts) lies outside the workspace: every page opened through the server can read what is in it.',
    ],
  ];
}
