import { expect, test } from 'vitest';
import type { ReleaseWindowSpec } from '../../../src/core/definitions.ts';
import { checkDefinition } from '../../../src/core/validate.ts';
import { HOUR, windowOf } from '../windows/support.ts';

const refused = (fields: Partial<ReleaseWindowSpec>): string[] => {
  const metadata = { name: 'window', labels: {}, annotations: {} };
  const { spec } = windowOf(fields);
  return checkDefinition({ kind: 'ReleaseWindow', metadata, spec }).map(
    ({ path, message }) => `${path.join('.')}: ${message}`,
  );
};
const select = (selector: Partial<ReleaseWindowSpec['selector']>): Partial<ReleaseWindowSpec> => ({
  cron: '0 9 * * *',
  duration: HOUR,
  selector: { environments: {}, products: {}, ...selector },
});

test.each<[string, Partial<ReleaseWindowSpec>]>([
  ['times of day', { cron: '0 9 * * *', duration: HOUR }],
  ['times of day up to a time', { cron: '0 9 * * *', end: '17:00' }],
  ['a rule', { rrule: 'FREQ=DAILY', start: '2026-01-05T22:00', duration: HOUR }],
  ['a rule up to a time', { rrule: 'FREQ=DAILY', start: '2026-01-05T22:00', end: '06:00' }],
  ['a rule that is over', { rrule: 'FREQ=DAILY;UNTIL=20101231T000000', start: '1997-01-05T22:00', duration: HOUR }],
  ['a rule that begins late', { rrule: 'FREQ=DAILY', start: '2045-01-05T22:00', duration: HOUR }],
  [
    'a rule that first occurred twenty years after its start, in 2020',
    { rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SA', start: '2000-01-05T22:00', duration: HOUR },
  ],
  ['one time', { from: '2026-05-01T00:00', to: '2026-05-01T00:01' }],
  ['one time in instants', { from: '2026-05-01T00:00:00Z', to: '2026-05-01T00:00:01Z' }],
  ['a whole day, said so', { cron: '0 22 * * *', duration: 24 * HOUR }],
  ['a group', select({ groups: ['us-*'] })],
])('a window is taken: %s', (_, fields) => expect(refused(fields)).toEqual([]));

test.each<[string, Partial<ReleaseWindowSpec>, string]>([
  ['without times', {}, 'spec: a window has one of cron, rrule with start, or from with to'],
  [
    'of two forms',
    { cron: '0 9 * * *', from: '2026-05-01T00:00' },
    'spec.from: a window has one of cron, rrule with start, or from with to; found cron and from',
  ],
  ['of a rule without its start', { rrule: 'FREQ=DAILY', duration: HOUR }, 'spec: rrule needs start'],
  ['with one end only', { from: '2026-05-01T00:00' }, 'spec: from needs to'],
  [
    'with a start that belongs to a rule',
    { cron: '0 9 * * *', duration: HOUR, start: '2026-01-05T22:00' },
    'spec.start: start does not belong to cron; remove it',
  ],
  [
    'with a length that belongs to times of day, once',
    { from: '2026-05-01T00:00', to: '2026-05-02T00:00', duration: -1 },
    'spec.duration: duration does not belong to from; remove it',
  ],
  ['without a length', { cron: '0 9 * * *' }, 'spec: cron needs either duration or end'],
  [
    'with two lengths',
    { cron: '0 9 * * *', duration: HOUR, end: '10:00' },
    'spec.end: cron needs either duration or end',
  ],
  ['of no length', { cron: '0 9 * * *', duration: 0 }, 'spec.duration: duration is "0" ms; it must be more than 0'],
  ['on 30 February', { cron: '0 9 30 2 *', duration: HOUR }, 'spec.cron: "0 9 30 2 *" never occurs'],
  [
    'on 30 February, by a rule',
    { rrule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30', start: '2026-01-05T22:00', duration: HOUR },
    'spec.rrule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" never occurs',
  ],
  ['of no cron', { cron: '99 9 * * *', duration: HOUR }, 'spec.cron: cron "99 9 * * *": '],
  ['of no rule', { rrule: 'FREQ=SOMETIMES', start: '2026-01-05T22:00', duration: HOUR }, 'spec.rrule: rrule "FREQ'],
  ['of no time of day', { cron: '0 9 * * *', end: '25:00' }, 'spec.end: "25:00" must be a time of day'],
  [
    'of a start with a zone',
    { rrule: 'FREQ=DAILY', start: '2026-01-05T22:00Z', duration: HOUR },
    'spec.start: "2026-01-05T22:00Z" must be a local time',
  ],
  [
    'that ends when it starts',
    { from: '2026-05-01T00:00', to: '2026-05-01T00:00' },
    'spec.to: the window is never active: it must end after it starts',
  ],
  [
    'that ends before it starts',
    { from: '2026-05-02T00:00', to: '2026-05-01T00:00:00Z' },
    'spec.to: the window is never active: it must end after it starts',
  ],
  [
    'that ends before it starts, the other way around',
    { from: '2026-05-02T00:00:00Z', to: '2026-05-01T00:00' },
    'spec.to: the window is never active: it must end after it starts',
  ],
  [
    'in the hour that the clocks skip',
    { timeZone: 'Europe/Berlin', from: '2026-03-29T02:10', to: '2026-03-29T02:40' },
    'spec.to: the window is never active: the clocks skip all of it',
  ],
  [
    'of a whole day or of nothing',
    { cron: '0 22 * * *', end: '22:00' },
    'spec.end: an occurrence would begin and end at 22:00; for a whole day write duration: 24h',
  ],
  [
    'of a whole day or of nothing, beside another that touches it',
    { cron: '0 10,22 * * *', end: '22:00' },
    'spec.end: an occurrence would begin and end at 22:00; for a whole day write duration: 24h',
  ],
  [
    'of a whole day or of nothing, that begins late',
    { rrule: 'FREQ=DAILY', start: '2040-01-05T22:00', end: '22:00' },
    'spec.end: an occurrence would begin and end at 22:00; for a whole day write duration: 24h',
  ],
  ['in no zone', { cron: '0 9 * * *', duration: HOUR, timeZone: 'Europe/Berlim' }, 'spec.timeZone: the time zone'],
  ['that holds nothing', { cron: '0 9 * * *', duration: HOUR, holds: [] }, 'spec.holds: a window holds at least one'],
  ['of no group', select({ groups: [] }), 'spec.selector.groups: name at least one group'],
  ['of a group in capitals', select({ groups: ['US'] }), 'spec.selector.groups.0: "US" must be a name'],
  [
    'of 1001 groups in capitals, said once',
    select({ groups: Array.from({ length: 1_001 }, () => 'US') }),
    'spec.selector.groups: there are 1001 groups',
  ],
])('a window is refused: %s', (_, fields, beginning) => {
  expect(refused(fields)).toEqual([expect.stringContaining(beginning)]);
});

test('a window that is wrong already is not looked for', () => {
  expect(refused({ cron: '0 9 30 2 *', duration: HOUR, timeZone: 'Mars/North' })).toEqual([
    expect.stringContaining('spec.timeZone: '),
  ]);
});
