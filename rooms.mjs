// The rooms of src, from the ground up. A room imports only from rooms on lower floors, and only from the wings its own
// wing may enter. ESLint enforces it (eslint.config.mjs), and test/architecture.test.ts looks for circles.

/** @type {readonly (readonly [room: string, floor: number])[]} one line for each folder below src */
export const ROOMS = [
  ['shared', 1],
  ['server/http', 1],
  ['server/util', 1],
  ['server/options', 2],
  ['server/body', 2],
  ['server/access', 2],
  ['server/files', 3],
  ['server/connection', 3],
  ['server/tls', 3],
  ['server/log', 4],
  ['server/listener', 4],
  ['server/pages', 4],
  ['server/pages/error', 5],
  ['server/pages/listing', 5],
  ['server/pages/echo', 5],
  ['server/backends/common', 4],
  ['server/backends/cgi', 5],
  ['server/backends/proxy', 5],
  ['server/backends/fastcgi', 6],
  ['server/backends/php', 7],
  ['server/backends', 8],
  ['server/app/steps', 9],
  ['server/app', 10],
  ['server/config', 9],
  ['server', 11],
  ['live', 9],
  ['page/dom', 2],
  ['page/refresh', 3],
  ['page/morph', 4],
  ['page/reload', 4],
  ['page/report', 4],
  ['page', 5],
  ['webview/preview', 2],
  ['cli', 12],
  ['editor/common', 12],
  ['editor/live', 13],
  ['editor/server', 14],
  ['editor/preview', 15],
  ['editor', 16],
  ['.', 17],
];

/**
 * Which wings the files of a wing may import from, beside their own.
 * @type {Readonly<Record<string, readonly string[]>>}
 */
export const WINGS = {
  shared: [],
  server: ['shared'],
  live: ['shared', 'server'],
  page: ['shared'],
  webview: ['shared'],
  cli: ['shared', 'server', 'live'],
  editor: ['shared', 'server', 'live'],
  '.': ['shared', 'server', 'live', 'editor'],
};

/** @type {ReadonlyMap<string, number>} */
const FLOORS = new Map(ROOMS);

/** @param {string} room */
const wingOf = (room) => room.split('/', 1)[0] ?? room;

/**
 * Why a file of one room may not import from another; undefined when it may.
 * @param {string} from a folder below src, `.` for src itself
 * @param {string} to another
 * @returns {string | undefined}
 */
export function objectionTo(from, to) {
  if (from === to) return undefined;
  const [floor, below] = [FLOORS.get(from), FLOORS.get(to)];
  if (floor === undefined || below === undefined)
    return `There is no room ${floor === undefined ? from : to} in rooms.mjs.`;
  const [wing, other] = [wingOf(from), wingOf(to)];
  if (wing !== other && WINGS[wing]?.includes(other) !== true) return `Files in ${wing} do not import from ${other}.`;
  return below < floor
    ? undefined
    : `src/${from} is on floor ${floor}, src/${to} on floor ${below}: a room imports only from rooms below it.`;
}
