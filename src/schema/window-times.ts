import { Extensions, Field, InputType, ObjectType } from 'type-graphql';
import type { ReleaseWindowSpec } from '../core/definitions.ts';
import { WindowTimesTypeEnum } from './choices.ts';
import { OneOfInput } from './spec-input.ts';
import { Duration } from './values.ts';

const EXPRESSION = 'Five fields, the local starts, e.g. `0 22 * * MON-FRI`. Day of month and day of week are an OR.';
const RULE = 'RFC 5545 from `FREQ=HOURLY` up, e.g. `FREQ=WEEKLY;BYDAY=SA`, counted from `start`.';
const START = 'The local start of the first occurrence, e.g. `2026-01-05T22:00`.';
const DURATION =
  'How long each lasts on the wall clock: `8h` from 22:00 end at 06:00 in every night. Either this or `end`.';
const END = 'The local time of day at which each ends, e.g. `06:00`; on the next day when it is not after the start.';
const FROM = 'When it begins: local, e.g. `2026-12-24T18:00`, or an instant, e.g. `2026-12-24T18:00:00Z`.';
const TO = 'The first moment at which it is over: local or an instant.';
const CRON_TIMES = 'Occurrences by a cron expression.';
const RRULE_TIMES = 'Occurrences by a recurrence rule.';
const ONCE_TIMES = 'A single occurrence.';

@ObjectType({ description: CRON_TIMES })
export class WindowCron {
  @Field(() => String, { description: EXPRESSION })
  expression!: string;

  @Field(() => Duration, { nullable: true, description: DURATION })
  duration!: number | null;

  @Field(() => String, { nullable: true, description: END })
  end!: string | null;
}

@InputType({ description: CRON_TIMES })
export class WindowCronInput {
  @Field(() => String, { description: EXPRESSION })
  expression!: string;

  @Field(() => Duration, { nullable: true, description: DURATION })
  duration?: number;

  @Field(() => String, { nullable: true, description: END })
  end?: string;
}

@ObjectType({ description: RRULE_TIMES })
export class WindowRrule {
  @Field(() => String, { description: RULE })
  rule!: string;

  @Field(() => String, { description: START })
  start!: string;

  @Field(() => Duration, { nullable: true, description: DURATION })
  duration!: number | null;

  @Field(() => String, { nullable: true, description: END })
  end!: string | null;
}

@InputType({ description: RRULE_TIMES })
export class WindowRruleInput {
  @Field(() => String, { description: RULE })
  rule!: string;

  @Field(() => String, { description: START })
  start!: string;

  @Field(() => Duration, { nullable: true, description: DURATION })
  duration?: number;

  @Field(() => String, { nullable: true, description: END })
  end?: string;
}

@ObjectType({ description: ONCE_TIMES })
export class WindowOnce {
  @Field(() => String, { description: FROM })
  from!: string;

  @Field(() => String, { description: TO })
  to!: string;
}

@InputType({ description: ONCE_TIMES })
export class WindowOnceInput {
  @Field(() => String, { description: FROM })
  from!: string;

  @Field(() => String, { description: TO })
  to!: string;
}

@ObjectType({ description: 'When a window is active: the field of its type is set.' })
export class WindowTimes {
  @Field(() => WindowTimesTypeEnum, { description: 'Which of the fields is set.' })
  type!: WindowForm;

  @Field(() => WindowCron, { nullable: true, description: CRON_TIMES })
  cron!: WindowCron | null;

  @Field(() => WindowRrule, { nullable: true, description: RRULE_TIMES })
  rrule!: WindowRrule | null;

  @Field(() => WindowOnce, { nullable: true, description: ONCE_TIMES })
  once!: WindowOnce | null;
}

@Extensions({ oneOf: true })
@InputType({ description: 'When a window is active: exactly one of the fields.' })
export class WindowTimesInput extends OneOfInput {
  static readonly choices = ['cron', 'rrule', 'once'];

  @Field(() => WindowCronInput, { nullable: true, description: CRON_TIMES })
  cron?: WindowCronInput;

  @Field(() => WindowRruleInput, { nullable: true, description: RRULE_TIMES })
  rrule?: WindowRruleInput;

  @Field(() => WindowOnceInput, { nullable: true, description: ONCE_TIMES })
  once?: WindowOnceInput;
}

export type WindowForm = 'cron' | 'rrule' | 'once';

/** Where the fields of each form stand in the spec, which is flat as manifests are. */
export const TIMES_IN_SPEC = {
  cron: { expression: 'cron', duration: 'duration', end: 'end' },
  rrule: { rule: 'rrule', start: 'start', duration: 'duration', end: 'end' },
  once: { from: 'from', to: 'to' },
} as const satisfies Record<WindowForm, Record<string, keyof ReleaseWindowSpec>>;

export function timesOf(spec: ReleaseWindowSpec): WindowTimes {
  const type: WindowForm = spec.cron !== undefined ? 'cron' : spec.rrule !== undefined ? 'rrule' : 'once';
  const fields = Object.entries(TIMES_IN_SPEC[type]).map(([field, key]) => [field, spec[key]] as const);
  return Object.assign(new WindowTimes(), { type, [type]: Object.fromEntries(fields) });
}
