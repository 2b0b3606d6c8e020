/**
 * Sizes for people, the same on pages and in logs.
 */

const UNITS = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `1 byte`, `512 bytes`, `4.7 KiB`, `1.0 GiB` */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  let size = bytes / 1024;
  let unit = 0;
  // 1023.95 KiB would be rounded to 1024.0.
  for (; size >= 1023.95 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${size.toFixed(1)} ${UNITS[unit] as string}`;
}
