/**
 * The table of settings → what the manifest and the README say of them. Only `npm run manifest` and tests import this.
 */
import { settingRows, type SettingKey } from './settings.js';
import type { SettingRow, Texts } from './settingRow.js';

const PREFIX = 'liteServer.';

/** `contributes.configuration.properties` of package.json. */
export function configurationProperties(): Record<string, unknown> {
  return Object.fromEntries(
    settingRows().map(([key, row], index) => [
      `${PREFIX}${key}`,
      {
        ...row.schema,
        default: row.default,
        scope: row.scope,
        order: index + 1,
        markdownDescription: textsOf(key, row).manifest,
      },
    ]),
  );
}

/** `capabilities.untrustedWorkspaces.restrictedConfigurations`: VS Code itself ignores these in such a workspace. */
export function restrictedConfigurations(): string[] {
  return settingRows().flatMap(([key, { trust }]) => (trust === 'any' ? [] : [`${PREFIX}${key}`]));
}

interface Manifest {
  readonly capabilities: { readonly untrustedWorkspaces: object };
  readonly contributes: { readonly configuration: object };
}

/** The text of package.json with the settings as they are in the table. */
export function withSettings(packageJson: string): string {
  const manifest = JSON.parse(packageJson) as Manifest;
  Object.assign(manifest.capabilities.untrustedWorkspaces, { restrictedConfigurations: restrictedConfigurations() });
  Object.assign(manifest.contributes.configuration, { properties: configurationProperties() });
  return `${JSON.stringify(manifest, undefined, 2)}\n`;
}

/** The README's table, and what it says of trust and of restarts. Markdown, with a line end behind it. */
export function readmeSettings(): string {
  const rows = settingRows().map(
    ([key, row]) => `| \`${key}\` |${shownDefault(row, textsOf(key, row))} | ${textsOf(key, row).readme} |`,
  );
  const restart = keysWith(({ effect }) => effect === 'restart');
  const restricted = keysWith(({ trust, scope }) => trust !== 'any' && scope !== 'machine');
  return [
    '| setting | default | |',
    '|---|---|---|',
    ...rows,
    '',
    'A change counts from the next request on, also while the server runs. These need a restart, which is offered:',
    `${listed(restart)}. A value that cannot be used is named, and the last good one stays.`,
    '',
    'In a workspace that you do not trust, these of its settings are ignored:',
    `${listed(restricted)}. A mount outside the workspace is asked about once.`,
    '',
  ].join('\n');
}

/** The text of a file with something else between its two marks. @throws when it has no such marks */
export function betweenMarks(text: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: npm run manifest -->\n`, `<!-- /${name} -->\n`];
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`no marks of ${name}`);
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

function textsOf(key: SettingKey, { texts }: SettingRow): Texts {
  if (texts === false) throw new Error(`${key} has no texts: FOR_MANIFEST is false`);
  return texts;
}

/** With a space in front; nothing for an empty text. */
function shownDefault({ default: value }: SettingRow, { readmeDefault }: Texts): string {
  if (readmeDefault !== undefined) return ` ${readmeDefault}`;
  const text =
    typeof value === 'string' ? value : JSON.stringify(value).replaceAll('":"', '": "').replaceAll('","', '", "');
  return text === '' ? '' : ` \`${text}\``;
}

function keysWith(is: (row: SettingRow) => boolean): string[] {
  return settingRows().flatMap(([key, row]) => (is(row) ? [`\`${key}\``] : []));
}

function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
