/**
 * What comes from a preview panel, checked: a page in it may have a hand in what the panel says.
 */
import type { FromPanelView, PanelState } from '../../shared/panelProtocol.js';
import { parseSitePath } from '../common/urls.js';
import { isRecord } from '../../server/config/readers.js';
import { plainLine } from '../../server/util/printable.js';

/** A tab shows less. Characters. */
const MAX_TITLE_LENGTH = 60;

/** @returns undefined for what no panel of ours says */
export function readMessage(message: unknown): FromPanelView | undefined {
  if (!isRecord(message)) return undefined;
  switch (message.type) {
    case 'ready':
    case 'openInBrowser':
    case 'start':
      return { type: message.type };
    case 'navigate':
      return typeof message.path === 'string' ? { type: 'navigate', path: message.path } : undefined;
    case 'location': {
      const path = typeof message.path === 'string' ? readPath(message.path) : undefined;
      if (path === undefined || typeof message.title !== 'string' || typeof message.opened !== 'number')
        return undefined;
      return {
        type: 'location',
        path,
        title: plainLine(message.title.trim(), MAX_TITLE_LENGTH),
        opened: message.opened,
      };
    }
    case 'pin':
      return typeof message.pinned === 'boolean' ? { type: 'pin', pinned: message.pinned } : undefined;
    default:
      return undefined;
  }
}

/** What the extension wants to know of what a panel kept; undefined when that does not say of which folder. */
export function readState(state: unknown): Pick<PanelState, 'folder' | 'path' | 'pinned'> | undefined {
  if (!isRecord(state) || typeof state.folder !== 'string') return undefined;
  const path = (typeof state.path === 'string' ? readPath(state.path) : undefined) ?? '/';
  return { folder: state.folder, path, pinned: state.pinned === true };
}

function readPath(text: string): string | undefined {
  return text.startsWith('/') ? parseSitePath(text, []) : undefined;
}
