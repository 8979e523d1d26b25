import { dayOf, textOf } from '../parts/address.ts';

export const SPANS = ['week', 'month'] as const;

export interface CalendarSearch {
  /** undefined: a week. */
  span?: (typeof SPANS)[number];
  /** A day in it, by the calendar of its zone: `2026-11-29`; undefined: today. */
  day?: string;
  /** An IANA name; undefined: the viewer's. */
  zone?: string;
  /** undefined: the rows are environments. */
  rows?: 'windows';
  /** Part of a name. */
  environment?: string;
  /** For which product windows count; undefined: for whatever product. */
  product?: string;
}

export const calendarSearch = (typed: Record<string, unknown>): CalendarSearch => ({
  span: typed['span'] === 'month' ? 'month' : undefined,
  day: dayOf(typed['day']),
  zone: isZone(typed['zone']) ? typed['zone'] : undefined,
  rows: typed['rows'] === 'windows' ? 'windows' : undefined,
  environment: textOf(typed['environment']),
  product: textOf(typed['product']),
});

function isZone(name: unknown): name is string {
  if (typeof name !== 'string') return false;
  try {
    Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
