import { Button } from 'react-aria-components';
import { lookOf, Status } from '../parts/status.tsx';
import { sayLength, Took, useNow } from '../parts/time.tsx';
import { wordOf } from './environments.tsx';
import type { PromotionRead, ReleaseRead } from './use-release.ts';

interface GanttProps {
  release: ReleaseRead;
  selected: string | undefined;
  onSelect: (name: string) => void;
}

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' });
const tenths = new Intl.DateTimeFormat(undefined, {
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 1,
});
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const DAY_MS = 86_400_000;
/** Of so little time a tick of whole seconds says the same as its neighbour. */
const SHORT_MS = 8_000;
const TICKS = [0, 0.25, 0.5, 0.75, 1];

/** When each environment was at work, one below the other on one scale of time. */
export function Gantt({ release, selected, onSelect }: GanttProps) {
  const now = useNow();
  const from = Date.parse(release.startedAt ?? release.createdAt);
  const ends = release.promotions.flatMap(({ startedAt, endedAt }) =>
    startedAt ? [endedAt ? Date.parse(endedAt) : now] : [],
  );
  const to = Math.max(from + 1_000, ...ends, release.endedAt ? 0 : now);
  const format = to - from > DAY_MS ? day : to - from < SHORT_MS ? tenths : clock;
  const at = (time: number): number => ((Math.max(time, from) - from) / (to - from)) * 100;
  return (
    <div className="gantt">
      <div className="gantt-row gantt-axis" aria-hidden>
        <span />
        <span className="gantt-lane">
          {TICKS.map((part) => (
            <span key={part} className="gantt-tick" style={{ left: `${part * 100}%` }}>
              {format.format(from + part * (to - from))}
            </span>
          ))}
        </span>
        <span />
      </div>
      <ol aria-label={`${sayLength(to - from)} from ${day.format(from)}`}>
        {release.promotions.map((each) => (
          <li key={each.id} className={each.name === selected ? 'gantt-row selected' : 'gantt-row'}>
            <Button className="link-button" onPress={() => onSelect(each.name)}>
              {each.name}
            </Button>
            <span className="gantt-lane">{each.startedAt && <Bar promotion={each} at={at} now={now} />}</span>
            <span className="gantt-word">
              <Status status={each.status} word={wordOf(each)} />
              {each.startedAt && <Took from={each.startedAt} until={each.endedAt ?? null} />}
            </span>
          </li>
        ))}
      </ol>
    </div>
  );
}

function Bar({ promotion, at, now }: { promotion: PromotionRead; at: (time: number) => number; now: number }) {
  const from = Date.parse(promotion.startedAt!);
  const to = promotion.endedAt ? Date.parse(promotion.endedAt) : now;
  const text = `${day.format(from)} to ${promotion.endedAt ? day.format(to) : 'now'}`;
  return (
    <span
      className={`gantt-bar back-${lookOf(promotion.status).tone}`}
      style={{ left: `${at(from)}%`, width: `${Math.max(at(to) - at(from), 0.4)}%` }}
      title={text}
    >
      <span className="hidden">{text}</span>
    </span>
  );
}
