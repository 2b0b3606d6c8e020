/**
 * News of a folder's files from the system, for those without an editor.
 */
import { watch, type FSWatcher } from 'chokidar';
import { unwatchFile, watchFile, type Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { ignoreBy } from './ignore.js';

/** The system has no watches, or no descriptors, left. */
const FATAL = new Set(['ENOSPC', 'EMFILE', 'ENFILE']);
/** Milliseconds between two looks whether the folder is there, and still the same. */
const LOOK_INTERVAL = 250;

export interface FolderWatcher {
  /** Resolves when everything is watched that is there. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

export interface WatchEvents {
  /** A file or folder was made, changed or removed: absolute path. */
  readonly changed: (file: string) => void;
  /** Why nothing more will be told. */
  readonly failed: (reason: string) => void;
}

/**
 * @param root absolute path; a folder that is removed is watched again when it comes back
 * @param ignore globs relative to it, of what need not be watched
 */
export function watchFolder(root: string, ignore: readonly string[], { changed, failed }: WatchEvents): FolderWatcher {
  const isIgnored = ignoreBy(ignore);
  let watcher: FSWatcher | undefined;
  let looking: NodeJS.Timeout | undefined;
  let known: string | undefined;
  let closed = false;

  const stop = async (): Promise<void> => {
    const closing = watcher;
    watcher = undefined;
    await closing?.close();
  };
  const fail = (reason: string): void => {
    clearTimeout(looking);
    closed = true;
    void stop();
    failed(reason);
  };
  /** chokidar misses the removal of its own root now and then (3 in 100), and is deaf from then on. */
  const look = async (): Promise<void> => {
    const now = await identityOf(root, known);
    if (closed) return;
    if (now !== known) {
      known = now;
      void stop();
      if (now !== undefined) void start();
      changed(root);
    }
    lookLater();
  };
  const lookLater = (): void => {
    looking = setTimeout(() => {
      void look();
    }, LOOK_INTERVAL);
  };
  const start = (): Promise<void> =>
    new Promise((resolve) => {
      watcher = watch(root, {
        ignoreInitial: true,
        // A link may lead anywhere, to the root of the disk too.
        followSymlinks: false,
        // A folder that may not be read is none of the site.
        ignorePermissionErrors: true,
        // Told at once; whoever is told waits for a file that is being replaced.
        atomic: false,
        ignored: (file) => {
          const name = path.relative(root, file).split(path.sep).join('/');
          return name !== '' && isIgnored(name);
        },
      });
      watcher.on('ready', resolve);
      watcher.on('all', (event, file) => {
        changed(file);
        if (event !== 'unlinkDir' || path.relative(root, file) !== '' || closed) return;
        // What is there at the next look is another folder.
        known = undefined;
        void stop();
      });
      watcher.on('error', (error) => {
        resolve();
        // One folder that cannot be watched is no reason to give up all others.
        if (watcher === undefined || !FATAL.has((error as NodeJS.ErrnoException).code ?? '')) return;
        fail(
          (error as NodeJS.ErrnoException).code === 'ENOSPC'
            ? 'the system has no watches left'
            : error instanceof Error
              ? error.message
              : String(error),
        );
      });
    });

  const begin = async (): Promise<void> => {
    known = await identityOf(root, undefined);
    if (closed) return;
    lookLater();
    await start();
  };
  return {
    ready: begin(),
    close: async () => {
      closed = true;
      clearTimeout(looking);
      await stop();
    },
  };
}

/** Which folder it is; undefined: there is none. @param known where the system cannot tell, it is taken for that */
async function identityOf(folder: string, known: string | undefined): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(folder);
    return `${dev} ${ino}`;
  } catch (error) {
    return ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '') ? undefined : known;
  }
}

/**
 * Single files that need not be there yet, wherever they are.
 * @param files absolute paths
 */
export function watchFiles(files: readonly string[], { changed, failed }: WatchEvents): FolderWatcher {
  // Whole folders may be large, and files come and go by being replaced: each is looked at twice a second, which costs
  // nothing.
  const listener =
    (file: string) =>
    (now: Stats, before: Stats): void => {
      if (now.mtimeMs !== before.mtimeMs || now.size !== before.size || now.ino !== before.ino) changed(file);
    };
  const watched = files.map((file) => ({ file, listener: listener(file) }));
  try {
    for (const { file, listener: told } of watched) watchFile(file, { interval: 500, persistent: false }, told);
  } catch (error) {
    failed(error instanceof Error ? error.message : String(error));
  }
  return {
    ready: Promise.resolve(),
    close: () => {
      for (const { file, listener: told } of watched) unwatchFile(file, told);
      return Promise.resolve();
    },
  };
}
