import {
  Ban,
  CircleCheck,
  CircleDashed,
  CircleDot,
  CircleHelp,
  CirclePause,
  CircleSlash,
  CircleX,
  Clock,
  LoaderCircle,
  type LucideIcon,
  Undo2,
} from 'lucide-react';
import { toWords } from './words.ts';

/** What a status means to the eye; each has an icon and a word as well, so that nobody has to tell colours apart. */
export type Tone = 'good' | 'bad' | 'busy' | 'waits' | 'back' | 'quiet';

interface Look {
  tone: Tone;
  icon: LucideIcon;
}

const good = { tone: 'good', icon: CircleCheck } as const;
const bad = { tone: 'bad', icon: CircleX } as const;
const busy = { tone: 'busy', icon: LoaderCircle } as const;
const waits = { tone: 'waits', icon: Clock } as const;
const back = { tone: 'back', icon: Undo2 } as const;
const ended = { tone: 'quiet', icon: CircleSlash } as const;

/** Of releases, promotions, steps, targets of rollbacks, approvals, health and deliveries: one word means one thing everywhere. */
const LOOKS: Record<string, Look> = {
  SUCCEEDED: good,
  HEALTHY: good,
  PASSED: good,
  GRANTED: good,
  DONE: good,
  RELEASED: good,
  OPEN: waits,
  FAILED: bad,
  ROLLBACK_FAILED: bad,
  IMPOSSIBLE: bad,
  REJECTED: bad,
  REFUSED: bad,
  EXPIRED: bad,
  DEGRADED: bad,
  RUNNING: busy,
  PROGRESSING: busy,
  ASKING: busy,
  COALESCING: busy,
  TERMINATING: busy,
  WAITING: waits,
  QUEUED: waits,
  PROPOSED: waits,
  SUSPENDED: { tone: 'waits', icon: CirclePause },
  ROLLING_BACK: { tone: 'busy', icon: Undo2 },
  ROLLED_BACK: back,
  TERMINATED: { tone: 'quiet', icon: Ban },
  SKIPPED: ended,
  LEFT_ALONE: ended,
  SUPERSEDED: ended,
  DISMISSED: ended,
  PENDING: { tone: 'quiet', icon: CircleDashed },
  INCLUDED: back,
  UNKNOWN: { tone: 'quiet', icon: CircleHelp },
};

/** A status that a later server adds looks neutral and is still named. */
export const lookOf = (status: string): Look => LOOKS[status] ?? { tone: 'quiet', icon: CircleDot };

export function Status({ status, word }: { status: string; word?: string }) {
  const { tone, icon: Icon } = lookOf(status);
  return (
    <span className={`status tone-${tone}`}>
      <Icon size={16} aria-hidden className={Icon === LoaderCircle ? 'turning' : undefined} />
      {word ?? toWords(status)}
    </span>
  );
}
