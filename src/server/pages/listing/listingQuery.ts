/**
 * What the query of a directory listing asks for.
 */

export const COLUMNS = ['name', 'size', 'date'] as const;
export type Column = (typeof COLUMNS)[number];

/** What the query of a listing asks for. */
export interface ListingView {
  readonly by: Column;
  readonly descending: boolean;
  /** From 1. */
  readonly page: number;
}

/** `sort=size&order=desc&page=2`; the first of several counts. */
export function parseView(query = ''): ListingView {
  const asked = new URLSearchParams(query);
  const by = COLUMNS.find((column) => column === asked.get('sort')) ?? 'name';
  const order = asked.get('order');
  const page = /^[1-9]\d{0,6}$/.exec(asked.get('page') ?? '')?.[0];
  return { by, descending: order === 'desc' || (order !== 'asc' && descendsFirst(by)), page: Number(page ?? 1) };
}

/** The largest and the newest are what one looks for; names begin at A. */
export function descendsFirst(by: Column): boolean {
  return by !== 'name';
}
