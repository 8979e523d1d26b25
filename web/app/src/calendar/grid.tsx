import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { now as clock } from '../api/clock.ts';
import { EnvironmentLink } from '../environment/link.tsx';
import { useNow } from '../parts/time.tsx';
import { type Day, localAt, sayOffset } from './days.ts';
import type { Row, Segment } from './rows.ts';

interface GridProps {
  rows: readonly Row[];
  days: readonly Day[];
  zone: string;
  span: 'week' | 'month';
  /** Somebody has chosen a time in a row; undefined: nobody may. */
  onDraft: ((from: number, to: number, environment?: string) => void) | undefined;
}

const HOUR_MS = 3_600_000;
/** What a drag and a key move by. */
const STEP_MS = { week: HOUR_MS / 2, month: 6 * HOUR_MS };

/** Rows of time from left to right. A day is as wide as it is long: 23 or 25 hours where the clocks change. */
export function Grid({ rows, days, zone, span, onDraft }: GridProps) {
  const [from, to] = [days[0]!.from, days.at(-1)!.to];
  const at = (time: number): number => ((Math.min(Math.max(time, from), to) - from) / (to - from)) * 100;
  const now = useNow();
  const frame = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Where there is no room for all of it, what is now is in the middle.
    const { current } = frame;
    if (current) current.scrollLeft = (at(clock()) / 100) * current.scrollWidth - current.clientWidth / 2;
  }, [from, to]);
  return (
    <div className="calendar" ref={frame} role="region" aria-label="Calendar" tabIndex={0}>
      <div className={`calendar-inner ${span}`}>
        <div className="calendar-row calendar-head">
          <span />
          <div className="calendar-lane">
            {days.map(({ day, from: start, to: end, change }) => (
              <span
                key={day}
                className={change ? 'calendar-day changed' : 'calendar-day'}
                style={{ left: `${at(start)}%`, width: `${at(end) - at(start)}%` }}
                title={
                  change ? `The clocks change: ${sayOffset(change.before)} to ${sayOffset(change.after)}` : undefined
                }
              >
                {sayDay(day, span)}
                {change && <small> ⟳ {sayOffset(change.after)}</small>}
              </span>
            ))}
          </div>
        </div>
        {rows.map((row) => (
          <div key={row.name} className="calendar-row">
            <div className="calendar-name">
              {row.environment === undefined ? <strong>{row.name}</strong> : <EnvironmentLink name={row.environment} />}
              {row.about && <small>{row.about}</small>}
            </div>
            <Lane row={row} days={days} at={at} from={from} to={to} zone={zone} step={STEP_MS[span]} onDraft={onDraft}>
              {now >= from && now < to && <span className="calendar-now" style={{ left: `${at(now)}%` }} />}
            </Lane>
          </div>
        ))}
      </div>
    </div>
  );
}

const weekday = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  timeZone: 'UTC',
});
const sayDay = (day: string, span: 'week' | 'month'): string =>
  span === 'month' ? String(Number(day.slice(8))) : weekday.format(Date.parse(`${day}T00:00Z`));

interface LaneProps extends Pick<GridProps, 'days' | 'zone' | 'onDraft'> {
  row: Row;
  at: (time: number) => number;
  from: number;
  to: number;
  step: number;
  children: React.ReactNode;
}

/** One row. A time is chosen by dragging, or by the arrow keys with Shift. */
function Lane({ row, days, at, from, to, zone, step, onDraft, children }: LaneProps) {
  const lane = useRef<HTMLDivElement>(null);
  const [chosen, setChosen] = useState<{ anchor: number; head: number }>();
  const navigate = useNavigate();
  const seen = row.segments.filter((each) => each.to >= from && each.from < to);
  const range = chosen && ([Math.min(chosen.anchor, chosen.head), Math.max(chosen.anchor, chosen.head)] as const);
  const draft = (): void => {
    if (!range) return;
    onDraft?.(range[0], Math.max(range[1], range[0] + step), row.environment);
    setChosen(undefined);
  };
  const timeOf = (event: PointerEvent): number => {
    const { left, width } = lane.current!.getBoundingClientRect();
    const time = from + ((event.clientX - left) / width) * (to - from);
    return Math.min(Math.max(from + Math.round((time - from) / step) * step, from), to);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.target !== lane.current) return;
    const by = { ArrowRight: step, ArrowLeft: -step }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      const head = Math.min(
        Math.max((chosen?.head ?? Math.max(from, Math.min(clock(), to)) - (clock() % step)) + by, from),
        to,
      );
      setChosen({ head, anchor: event.shiftKey ? (chosen?.anchor ?? head - by) : head });
    } else if (event.key === 'Enter') draft();
    else if (event.key === 'Escape') setChosen(undefined);
  };
  const said = range && `${localAt(range[0], zone)} to ${localAt(range[1], zone)}`.replaceAll('T', ' ');
  return (
    <div
      ref={lane}
      className={onDraft ? 'calendar-lane draws' : 'calendar-lane'}
      role="group"
      tabIndex={0}
      aria-label={`${row.name}: ${seen.length === 0 ? 'nothing in this time' : seen.map((each) => sayWhen(each, zone)).join('; ')}`}
      onKeyDown={onDraft ? onKeyDown : undefined}
      onPointerDown={(event) => {
        if (!onDraft || event.button !== 0 || (event.target as HTMLElement).closest('a, button')) return;
        const time = timeOf(event);
        lane.current!.setPointerCapture(event.pointerId);
        setChosen({ anchor: time, head: time });
      }}
      onPointerMove={(event) => {
        if (chosen && lane.current!.hasPointerCapture(event.pointerId)) setChosen({ ...chosen, head: timeOf(event) });
      }}
      onPointerUp={(event) => {
        if (!lane.current!.hasPointerCapture(event.pointerId)) return;
        lane.current!.releasePointerCapture(event.pointerId);
        if (range && range[1] > range[0]) draft();
        else setChosen(undefined);
      }}
      onPointerCancel={() => setChosen(undefined)}
    >
      {days.map(({ day, from: start, change }) => (
        <span
          key={day}
          className={change ? 'calendar-line changed' : 'calendar-line'}
          style={{ left: `${at(start)}%` }}
        />
      ))}
      {seen.map((each) => (
        <Piece
          key={`${each.kind} ${each.from} ${each.name}`}
          piece={each}
          at={at}
          zone={zone}
          onOpen={(id) => void navigate({ to: '/releases/$id', params: { id } })}
        />
      ))}
      {children}
      {range && (
        <span
          className="calendar-chosen"
          style={{ left: `${at(range[0])}%`, width: `${at(range[1]) - at(range[0])}%` }}
        />
      )}
      <span
        className={said ? 'calendar-said' : 'hidden'}
        role="status"
        style={said ? { left: `${at(range[0])}%` } : undefined}
      >
        {said}
      </span>
    </div>
  );
}

interface PieceProps {
  piece: Segment;
  at: (time: number) => number;
  zone: string;
  onOpen: (release: string) => void;
}

function Piece({ piece, at, zone, onOpen }: PieceProps) {
  const { kind, from, to, name, release, isChanged } = piece;
  const style = { left: `${at(from)}%`, width: `${at(to) - at(from)}%` };
  const className = `piece piece-${kind}${isChanged ? ' changed' : ''}`;
  const title = sayWhen(piece, zone);
  if (release !== undefined)
    return (
      <button
        type="button"
        className={className}
        style={style}
        title={title}
        aria-label={title}
        onClick={() => onOpen(release)}
      />
    );
  return (
    <span className={className} style={style} title={title} aria-hidden>
      {at(to) - at(from) > ROOM ? name : ''}
    </span>
  );
}

/** Per cent of the row that a word needs. */
const ROOM = 4;

const sayWhen = ({ title, from, to }: Segment, zone: string): string =>
  `${title}, ${sayTime(from, zone)} to ${to > 8e15 ? 'whenever it is lifted' : sayTime(to, zone)}`;
const sayTime = (at: number, zone: string): string => localAt(at, zone).replace('T', ' ');
