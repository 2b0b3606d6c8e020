/**
 * The live preview of one running server: made with it, closed with it.
 */
import type { Live, LiveObserver, LiveUpdate } from '../../live/live.js';
import type { LiveConfiguration } from '../../server/config/types.js';
import type { ServerOptions } from '../../server/options/serverOptions.js';
import { DocumentSync } from './documentSync.js';
import { describeUpdate } from '../../live/updateText.js';
import type { LiveModule } from '../common/core.js';

/** What a session tells. */
export interface SessionEvents {
  readonly observer: LiveObserver;
  /** A file below the root was changed, made or deleted: absolute path. */
  readonly fileChanged: (file: string) => void;
  /** Something to show has changed. */
  readonly changed: () => void;
}

/** What belongs to a site and lies outside its root. Absolute paths, links followed. */
export interface Elsewhere {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

export class LiveSession {
  readonly live: Live;
  /** What the tooltip says of the last update. */
  lastUpdate: string | undefined;
  private documents: DocumentSync | undefined;
  private elsewhere: Elsewhere | undefined;

  /** @param site its root with links followed */
  constructor(
    { createLive }: LiveModule,
    private site: ServerOptions,
    private settings: LiveConfiguration,
    private readonly events: SessionEvents,
  ) {
    const { ignore, problems, badge } = settings;
    const { observer } = events;
    this.live = createLive(
      { root: site.root, layout: site, ignore, problems, badge },
      {
        ...observer,
        updated: (update) => {
          this.updated(update);
        },
        pagesChanged: () => {
          observer.pagesChanged?.();
          events.changed();
        },
      },
    );
  }

  /** Once the server listens: nothing is watched for a server that did not come to be. */
  begin(elsewhere: Elsewhere): void {
    const { folders, files } = elsewhere;
    this.elsewhere = elsewhere;
    this.documents = new DocumentSync(
      {
        root: this.site.root,
        alsoFolders: folders,
        alsoFiles: files,
        unsaved: this.settings.unsaved !== 'off',
        fileChanged: this.events.fileChanged,
      },
      this.live,
    );
  }

  /** Goes by other settings; pages stay connected. */
  change(site: ServerOptions, settings: LiveConfiguration, elsewhere: Elsewhere): void {
    const { ignore, problems, badge, unsaved } = settings;
    const isSame = JSON.stringify([this.elsewhere, this.settings.unsaved]) === JSON.stringify([elsewhere, unsaved]);
    this.site = site;
    this.settings = settings;
    this.live.reconfigure({ layout: site, ignore, problems, badge });
    if (isSame) return;
    this.documents?.takeBack();
    this.documents?.dispose();
    this.begin(elsewhere);
  }

  close(): void {
    this.documents?.dispose();
    this.live.close();
  }

  private updated(update: LiveUpdate): void {
    if (update.pages.length === 0) return;
    this.events.observer.updated?.(update);
    this.lastUpdate = `${describeUpdate(update)}, ${new Date().toTimeString().slice(0, 8)}`;
    this.events.changed();
  }
}
