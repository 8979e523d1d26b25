import { description, DESCRIPTION, environmentKind, environmentSelector, gatePolicy } from './common.ts';
import { defaulted, duration, integer, object, optional, required } from './shape.ts';

export const environment = object('Environment', 'A place to deploy to.', {
  kind: required(environmentKind, 'How careful one has to be.'),
  description: optional(description, DESCRIPTION),
});

/** ALL members, ANY one of them, or AT_LEAST `count` or `percent` (rounded up) of them. */
export const gate = object('EnvironmentGate', 'When a group counts as done.', {
  policy: required(gatePolicy, 'How many of the members must be healthy.'),
  count: optional(integer(1, 1000), 'For AT_LEAST: how many.'),
  percent: optional(integer(1, 100), 'For AT_LEAST: how many of a hundred, rounded up; 50 of three is two.'),
  soak: optional(
    duration(0),
    'How long a member has been HEALTHY without a break before it counts; a look that finds it so is enough when left out. ' +
      'DEGRADED and PROGRESSING begin it anew, UNKNOWN stops the clock.',
  ),
  freshness: optional(
    duration(10_000, { why: 'health is asked every few seconds, and would be out of date between two looks' }),
    'A health that was seen longer ago counts as UNKNOWN, at least 10 seconds; the newest one counts when left out.',
  ),
  unknownTimeout: optional(
    duration(1),
    'How long a health of UNKNOWN may hold the gate before it fails; 15 minutes when left out.',
    { meant: 15 * 60 * 1000 },
  ),
});

export const environmentGroup = object(
  'EnvironmentGroup',
  'A named set of environments with a gate; a release freezes its members when it is created.',
  {
    description: optional(description, DESCRIPTION),
    environments: required(environmentSelector, 'Which environments are its members.'),
    gate: defaulted(gate, { policy: 'ALL' }, 'When it counts as done.', { leftOut: 'ALL' }),
    maxParallel: optional(integer(1, 1000), 'How many members are promoted at once; null: no limit.', {
      aboutInput: 'How many members are promoted at once. No limit when left out.',
    }),
    maxFailures: defaulted(integer(0, 1000), 0, 'How many members may fail before no further one starts.'),
  },
);
