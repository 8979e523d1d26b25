/** `ROLLED_BACK` as people write it: `Rolled back`. */
export function toWords(name: string): string {
  const words = name.replaceAll('_', ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export type Tone = 'good' | 'bad' | 'busy' | 'waits' | 'quiet';

const CHECK = 'M4 8.5l2.7 2.7L12 5.5';
const CROSS = 'M5 5l6 6M11 5l-6 6';
const CLOCK = 'M8 4.5V8l2.5 1.5';
const PAUSE = 'M6.5 5.5v5M9.5 5.5v5';
const DOTS = 'M5 8h.01M8 8h.01M11 8h.01';
const BACK = 'M6.5 5L4.5 7l2 2M4.5 7h4.8a1.9 1.9 0 010 3.8H7';
const DASH = 'M5 8h6';

/** A status has an icon and a word besides its colour. `icon`: a path of 16 × 16 inside of a circle. */
const LOOKS: Record<string, { tone: Tone; icon: string }> = {
  SUCCEEDED: { tone: 'good', icon: CHECK },
  FAILED: { tone: 'bad', icon: CROSS },
  ROLLBACK_FAILED: { tone: 'bad', icon: CROSS },
  RUNNING: { tone: 'busy', icon: DOTS },
  TERMINATING: { tone: 'busy', icon: DASH },
  ROLLING_BACK: { tone: 'busy', icon: BACK },
  WAITING: { tone: 'waits', icon: CLOCK },
  QUEUED: { tone: 'waits', icon: CLOCK },
  SUSPENDED: { tone: 'waits', icon: PAUSE },
  ROLLED_BACK: { tone: 'waits', icon: BACK },
};

/** A status that a later server adds looks quiet and is still named. */
export const lookOf = (status: string): { tone: Tone; icon: string } => LOOKS[status] ?? { tone: 'quiet', icon: DASH };

/** The exact moment, in the zone of the reader. */
export const exactly = (at: string): string =>
  new Date(at).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' });
