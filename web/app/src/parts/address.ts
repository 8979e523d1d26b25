/** A text of an address, where a number can have been read; undefined: none. */
export const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

/** A day, such as `2026-11-29`, with others around it that can be written so, too; undefined: it is none. */
export const dayOf = (value: unknown): string | undefined =>
  typeof value === 'string' &&
  /^\d{4}-\d{2}-\d{2}$/.test(value) &&
  value > '1900' &&
  value < '9990' &&
  !Number.isNaN(Date.parse(value))
    ? value
    : undefined;

/** A `javascript:` address would be a script in this page, and a `data:` address a page of anybody. */
export const isOfTheWeb = (address: string | null | undefined): address is string =>
  address != null && URL.canParse(address) && ['http:', 'https:'].includes(new URL(address).protocol);
