import { sees } from '../core/access/index.ts';
import type { EventFilter, LoggedEvent } from '../store/event-log.ts';

/** Says of one event what `readFiltered` says in SQL. */
export function fits(filter: EventFilter, logged: LoggedEvent): boolean {
  const { event } = logged;
  return (
    (filter.releaseId === undefined || logged.releaseId === filter.releaseId) &&
    (filter.product === undefined || logged.product === filter.product) &&
    (filter.environment === undefined || ('environment' in event && event.environment === filter.environment)) &&
    (filter.types === undefined || filter.types.includes(event.type)) &&
    (filter.visible === undefined || sees(filter.visible(), logged.product, placeOf(event)))
  );
}

/** The hook `eu/ON_FAIL` is in eu: no environment has a slash in its name. */
const placeNamed = (name: string): string => name.split('/', 1)[0] as string;

/** The environment that an event is about; null: it is about the whole release. */
function placeOf(event: LoggedEvent['event']): string | null {
  if ('environment' in event) return placeNamed(event.environment);
  return 'target' in event ? event.target : null;
}
