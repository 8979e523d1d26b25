import { now } from '../api/clock.ts';
import type { CalendarQuery, CalendarReleasesQuery } from '../generated/documents.ts';
import { toWords } from '../parts/words.ts';

/** What lies in a row for a time. Instants are milliseconds since the epoch. */
export interface Segment {
  kind: 'closed' | 'open' | 'allow' | 'deny' | 'hold' | 'release';
  from: number;
  to: number;
  /** What it is called where there is room. */
  name: string;
  /** All of it, in words. */
  title: string;
  /** The release that it is about. */
  release?: string;
  isChanged?: boolean;
}

export interface Row {
  name: string;
  /** What stands under the name. */
  about?: string;
  /** The environment for which something is drafted here; undefined: all of them. */
  environment?: string;
  segments: Segment[];
}

/** What holds the environments, and what moves in them. */
export function environmentRows({ windowCalendar }: CalendarQuery, overlay: CalendarReleasesQuery | undefined): Row[] {
  return windowCalendar.rows.map(({ environment: { name }, stretches }) => ({
    name,
    environment: name,
    segments: [
      ...stretches
        .filter(({ closed, windowNames }) => closed || windowNames.length > 0)
        .map(({ from, to, closed, reason, windowNames }): Segment => ({
          kind: closed ? 'closed' : 'open',
          from: Date.parse(from),
          to: Date.parse(to),
          name: windowNames.join(', '),
          title: `${closed ? 'Closed' : 'Open'}: ${reason}`,
        })),
      ...(overlay?.environmentHolds.nodes ?? [])
        .filter(({ environmentName }) => environmentName === name)
        .map(({ since, until, liftedAt, reason, productName }): Segment => ({
          kind: 'hold',
          from: Date.parse(since),
          to: endOf(liftedAt ?? until),
          name: 'hold',
          title: `On hold for ${productName ?? 'all products'}: ${reason}`,
        })),
      ...(overlay?.releases.nodes ?? []).flatMap(({ uuid, shortId, version, promotions }) =>
        promotions.flatMap((each): Segment[] => {
          const start = each.startedAt ?? each.earliestStart;
          if (each.name !== name || !start) return [];
          const from = Date.parse(start);
          const to = each.endedAt ? Date.parse(each.endedAt) : each.startedAt ? now() : from;
          const what = each.startedAt ? toWords(each.status).toLowerCase() : 'can start then at the earliest';
          return [
            { kind: 'release', from, to, name: shortId, title: `${shortId} ${version.label}: ${what}`, release: uuid },
          ];
        }),
      ),
    ],
  }));
}

/** When each window is active. */
export const windowRows = ({ windowCalendar }: CalendarQuery): Row[] =>
  windowCalendar.windows.map(({ window, occurrences }) => ({
    name: window.name,
    about: `${window.kind === 'ALLOW' ? 'Allows' : 'Denies'}, ${window.timeZone}`,
    segments: occurrences.map(({ start, end, localStart, localEnd, clockChange }): Segment => ({
      kind: window.kind === 'ALLOW' ? 'allow' : 'deny',
      from: Date.parse(start),
      to: Date.parse(end),
      name: window.kind === 'ALLOW' ? 'allows' : 'denies',
      title: `${window.name} ${window.kind === 'ALLOW' ? 'allows' : 'denies'} from ${localStart} to ${localEnd} (${window.timeZone})${
        clockChange ? '; the clocks change that day' : ''
      }`,
      isChanged: clockChange,
    })),
  }));

const FOREVER = 8.64e15;
const endOf = (at: string | null | undefined): number => (at == null ? FOREVER : Date.parse(at));
