/** Video and audio take another file, and go on where they were. */
export function reloadMedia(media: HTMLMediaElement, change: () => void): void {
  const { currentTime, paused, volume, muted, playbackRate } = media;
  change();
  media.load();
  Object.assign(media, { volume, muted, playbackRate });
  media.addEventListener(
    'loadedmetadata',
    () => {
      media.currentTime = currentTime;
      // Refused where the page was never touched; then it stays as the browser wants it.
      if (!paused) media.play().catch(() => undefined);
    },
    { once: true },
  );
}
