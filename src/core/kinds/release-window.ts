import { description, DESCRIPTION, environmentSelector, selector } from './common.ts';
import { boolean, choice, defaulted, duration, list, object, optional, required, text, words } from './shape.ts';
import type { Shape } from './shape.ts';

/** All that is given must agree; what is left out matches everything. */
const windowSelector = object(
  'WindowSelector',
  'What a release window is for; everything in it must agree, an empty one takes all.',
  {
    environments: defaulted(environmentSelector, {}, 'The environments that it is for.', { leftOut: 'All' }),
    groups: optional(
      list(text({ rule: 'pattern' }), 'groups', { empty: 'name at least one group, or remove groups' }),
      'Names of environment groups, where `*` stands for anything; the environment is a member of one of them.',
    ),
    products: defaulted(selector, {}, 'The products that it is for.', { leftOut: 'All' }),
  },
);

const windowKind = words('WindowKind', 'What an active release window says.', {
  ALLOW: 'Work may start: outside of all such windows it may not.',
  DENY: 'Work may not start, whatever other windows allow.',
});

export const windowAction = words('WindowAction', 'What a release window can hold.', {
  PROMOTE: 'The start of a promotion.',
  ROLLBACK: 'The start of a rollback.',
  APPROVE: 'An approval.',
});

const windowOnClose = words('WindowOnClose', 'What happens to work that is on its way when a release window closes.', {
  FINISH: 'It goes on to its end.',
  PAUSE: 'It stops before its next phase, until it opens again.',
});

/** In manifests they stand in the spec itself, in the API together. */
const manifest = { api: 'NONE' } as const;
const times = {
  cron: optional(
    text(),
    'Five fields, the local starts, e.g. `0 22 * * MON-FRI`. Day of month and day of week are an OR.',
    manifest,
  ),
  rrule: optional(
    text(),
    'RFC 5545 from `FREQ=HOURLY` up, e.g. `FREQ=WEEKLY;BYDAY=SA`, counted from `start`.',
    manifest,
  ),
  start: optional(text(), 'The local start of the first occurrence, e.g. `2026-01-05T22:00`.', manifest),
  from: optional(
    text(),
    'When it begins: local, e.g. `2026-12-24T18:00`, or an instant, e.g. `2026-12-24T18:00:00Z`.',
    manifest,
  ),
  to: optional(text(), 'The first moment at which it is over: local or an instant.', manifest),
  duration: optional(
    duration(1),
    'How long each lasts on the wall clock: `8h` from 22:00 end at 06:00 in every night. Either this or `end`.',
    { ...manifest, checkedByRule: true },
  ),
  end: optional(
    text(),
    'The local time of day at which each ends, e.g. `06:00`; on the next day when it is not after the start.',
    manifest,
  ),
};

const needed = ({ shape, about }: { shape: Shape; about: string }) => required(shape, about);
const length = {
  duration: optional(times.duration.shape, times.duration.about),
  end: optional(times.end.shape, times.end.about),
};
const CRON = 'Occurrences by a cron expression.';
const RRULE = 'Occurrences by a recurrence rule.';
const ONCE = 'A single occurrence.';

const windowTimes = choice({
  name: 'WindowTimes',
  about: 'When a window is active: the field of its type is set.',
  aboutInput: 'When a window is active: exactly one of the fields.',
  aboutType: 'Which of the fields is set.',
  enum: { name: 'WindowTimesType', about: 'How the times of a release window are written.' },
  choices: {
    cron: {
      about: CRON,
      word: 'As a cron expression.',
      shape: object('WindowCron', CRON, { expression: needed(times.cron), ...length }),
    },
    rrule: {
      about: RRULE,
      word: 'As a recurrence rule.',
      shape: object('WindowRrule', RRULE, { rule: needed(times.rrule), start: needed(times.start), ...length }),
    },
    once: {
      about: ONCE,
      word: 'As a single occurrence.',
      shape: object('WindowOnce', ONCE, { from: needed(times.from), to: needed(times.to) }),
    },
  },
});

/**
 * When work may start (ALLOW) or may not (DENY). Exactly one of `cron`, `rrule` with `start`, and `from` with `to`;
 * the first two with either `duration` or `end`. All times are wall-clock times of `timeZone`; what happens to them
 * where the clocks change is declared in docs/windows.md.
 */
export const releaseWindow = object(
  'ReleaseWindow',
  'When work may start (ALLOW) or may not (DENY). An active DENY closes; otherwise, where there are ALLOW windows, one must be active.',
  {
    description: optional(description, DESCRIPTION),
    kind: required(windowKind, 'Whether it allows or denies.'),
    timeZone: required(
      text({ rule: 'timeZone' }),
      'An IANA name, e.g. `Europe/Berlin`: the clock that all of its times are read from.',
    ),
    ...times,
    selector: defaulted(windowSelector, { environments: {}, products: {} }, 'What it is for.', {
      leftOut: 'Everything',
    }),
    holds: defaulted(
      list(windowAction, 'actions', { empty: 'a window holds at least one of PROMOTE, ROLLBACK, APPROVE' }),
      ['PROMOTE'],
      'What it holds.',
    ),
    onClose: defaulted(windowOnClose, 'FINISH', 'What happens to work that is on its way when it closes.'),
    jitter: optional(duration(0), 'What waits at the opening starts spread over this long; at once when left out.'),
    runway: defaulted(
      boolean,
      false,
      'Whether to hold what, by its own measured duration (p95), would not be over before the closing.',
    ),
  },
  {
    field: 'times',
    about: 'When it is active.',
    choice: windowTimes,
    keys: {
      cron: { expression: 'cron', duration: 'duration', end: 'end' },
      rrule: { rule: 'rrule', start: 'start', duration: 'duration', end: 'end' },
      once: { from: 'from', to: 'to' },
    },
  },
);
