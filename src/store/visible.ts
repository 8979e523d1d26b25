import type { Visibility } from '../core/access/index.ts';

/**
 * The condition in SQL that `sees` of the core is one by one: pages of a list are filtered before they are cut, so that a page
 * is never shorter because something on it may not be seen. `parameter` is given `visibleValue`.
 * @param environment a column, which may be null: of the product as a whole
 */
export function visibleSql(parameter: string, product: string, environment?: string): string {
  const visible = `${parameter}::jsonb`;
  const there = `jsonb_exists(${visible}, ${product})`;
  if (environment === undefined) return `(${visible} IS NULL OR ${there})`;
  const place = `(${environment} IS NULL OR ${visible}->${product} = 'null'::jsonb OR jsonb_exists(${visible}->${product}, ${environment}))`;
  return `(${visible} IS NULL OR (${there} AND ${place}))`;
}

/** Null: everything. */
export function visibleValue(visibility: Visibility | null | undefined): string | null {
  if (!visibility) return null;
  const products = [...visibility.products].map(([name, environments]) => [name, environments && [...environments]]);
  return JSON.stringify(Object.fromEntries(products));
}
