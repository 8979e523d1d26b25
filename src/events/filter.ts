import type { EventFilter, LoggedEvent } from '../store/event-log.ts';

/** Says of one event what `readFiltered` says in SQL. */
export function fits(filter: EventFilter, logged: LoggedEvent): boolean {
  const { event } = logged;
  return (
    (filter.releaseId === undefined || logged.releaseId === filter.releaseId) &&
    (filter.product === undefined || logged.product === filter.product) &&
    (filter.environment === undefined || ('environment' in event && event.environment === filter.environment)) &&
    (filter.types === undefined || filter.types.includes(event.type))
  );
}
