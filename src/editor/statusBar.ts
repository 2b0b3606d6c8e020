/**
 * Lifecycle → the item in the status bar.
 */
import * as vscode from 'vscode';
import type { Counts } from './common/lifecycle.js';
import type { RunningServer, ServerView } from './common/lifecycle.js';

/** What the item shows. Pure, so that every state can be looked at without an editor. */
export interface StatusText {
  readonly text: string;
  /** Markdown. */
  readonly tooltip: string;
  /** For screen readers. */
  readonly label: string;
  readonly failed: boolean;
}

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;

  constructor() {
    this.item = vscode.window.createStatusBarItem('liteServer.status', vscode.StatusBarAlignment.Left, 100);
    this.item.name = 'Lite Server';
    this.item.command = 'liteServer.toggle';
    this.render([]);
    this.item.show();
  }

  /** @param servers those that are not simply stopped */
  render(servers: readonly ServerView[]): void {
    const { text, tooltip, label, failed } = describeServers(servers);
    this.item.text = text;
    this.item.tooltip = new vscode.MarkdownString(tooltip, true);
    this.item.accessibilityInformation = { label, role: 'button' };
    this.item.backgroundColor = failed ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
  }

  dispose(): void {
    this.item.dispose();
  }
}

/** One text for any number of servers: what needs attention wins. */
export function describeServers(servers: readonly ServerView[]): StatusText {
  const busy = servers.find(({ lifecycle }) => lifecycle.name === 'Starting' || lifecycle.name === 'Stopping');
  if (busy !== undefined) {
    const doing = busy.lifecycle.name === 'Starting' ? 'Starting' : 'Stopping';
    return {
      text: '$(sync~spin) Lite Server',
      tooltip: `${doing} the server for ${escapeMarkdown(busy.folderName)}…`,
      label: `Lite Server: ${doing.toLowerCase()}`,
      failed: false,
    };
  }
  const failure = servers.find(({ lifecycle }) => lifecycle.name === 'Failed');
  if (failure?.lifecycle.name === 'Failed') {
    const { message } = failure.lifecycle;
    return {
      text: '$(error) Lite Server',
      tooltip: `Lite Server could not start: ${escapeMarkdown(message)}\n\nClick to try again.`,
      label: `Lite Server failed: ${message}`,
      failed: true,
    };
  }
  const running = servers.flatMap(({ lifecycle, folderName, counts }) =>
    lifecycle.name === 'Running' ? [{ server: lifecycle.server, folderName, counts }] : [],
  );
  const [only, ...more] = running;
  if (only === undefined) {
    return {
      text: '$(broadcast) Lite Server',
      tooltip: 'Click to serve this site with Lite Server',
      label: 'Lite Server: stopped. Start the server',
      failed: false,
    };
  }
  const tooltip = running
    .map(({ server, folderName, counts }) => describeRunning(server, more.length > 0 ? folderName : undefined, counts))
    .join('\n\n---\n\n');
  return {
    text: more.length === 0 ? `$(radio-tower) :${only.server.port}` : `$(radio-tower) ${running.length} servers`,
    tooltip: `${tooltip}\n\n${more.length === 0 ? 'Click to stop.' : 'Click to choose which to stop.'}`,
    label:
      more.length === 0
        ? `Lite Server: running on port ${only.server.port}. Stop the server`
        : `Lite Server: ${running.length} servers running. Stop one`,
    failed: false,
  };
}

function describeRunning(
  { url, rootLabel, portNote }: RunningServer,
  folderName: string | undefined,
  { connections, requests, live }: Counts,
): string {
  const lines = [
    `**[${url}](${url})**${folderName === undefined ? '' : ` (${escapeMarkdown(folderName)})`}`,
    `Serving \`${rootLabel.replace(/`/g, "'")}\``,
    `${plural(connections, 'open connection')} · ${plural(requests, 'request')} so far`,
  ];
  if (live !== undefined) {
    lines.push(`${plural(live.pages, 'page')} connected`);
    if (live.lastUpdate !== undefined) lines.push(`Last update: ${escapeMarkdown(live.lastUpdate)}`);
  }
  if (portNote !== undefined) lines.push(escapeMarkdown(portNote));
  return lines.join('  \n');
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** Names of folders and files and messages are text, whatever characters they are made of. */
function escapeMarkdown(text: string): string {
  return text.replace(/[\\`*_{}[\]()#+\-.!|<>~$]/g, '\\$&');
}
