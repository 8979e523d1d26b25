import type { ReleaseWindowSpec } from '../definitions.ts';
import { occurrences } from '../windows/index.ts';
import { checkRule } from '../windows/rrule.ts';
import { calendarOf, WindowError } from '../windows/window.ts';
import { isZone, parseTimeOfDay, parseWall } from '../windows/zones.ts';
import { quote } from '../wording.ts';
import { releaseWindow } from '../kinds/release-window.ts';
import type { Checks } from './rules.ts';
import { checkShape } from './shape.ts';

const { fields } = releaseWindow;

/** Where a recurrence is looked for when the question is whether it ever occurs: ten years have every date. */
const SAMPLE = Date.UTC(2020, 0, 1);

/** Rules between the fields of a window: its recurrence, its length, its zone. */
export function checkWindow(checks: Checks, spec: ReleaseWindowSpec): void {
  // Whether it ever opens can only be told where its zone and its times are right.
  const before = checks.size;
  checkForm(checks, spec);
  if (checks.size === before && isZone(spec.timeZone)) checkOccurs(checks, spec);
}

type Field = 'cron' | 'rrule' | 'start' | 'from' | 'to' | 'duration' | 'end';

/** Exactly one form, and only the fields that belong to it. */
function checkForm(checks: Checks, spec: ReleaseWindowSpec): void {
  const has = (field: Field): boolean => spec[field] !== undefined;
  const forms = (['cron', 'rrule', 'from'] as const).filter(has);
  if (forms.length !== 1) {
    const found = forms.length === 0 ? '' : `; found ${forms.join(' and ')}`;
    const path = forms.length === 0 ? ['spec'] : ['spec', forms[1]!];
    return checks.invalid(`a window has one of cron, rrule with start, or from with to${found}`, path);
  }
  const form = forms[0]!;
  const needed: Field[] = form === 'rrule' ? ['start'] : form === 'from' ? ['to'] : [];
  const length: Field[] = form === 'from' ? [] : ['duration', 'end'];
  for (const field of needed) if (!has(field)) checks.invalid(`${form} needs ${field}`, ['spec']);
  for (const field of ['start', 'to', 'duration', 'end'] as const) {
    if (!has(field) || needed.includes(field) || length.includes(field)) continue;
    checks.invalid(`${field} does not belong to ${form}; remove it`, ['spec', field]);
  }
  if (length.length > 0 && has('duration') === has('end')) {
    checks.invalid(`${form} needs either duration or end`, has('end') ? ['spec', 'end'] : ['spec']);
  }
  if (form !== 'from') checkShape(checks, fields.duration.shape, spec.duration, ['spec', 'duration']);
}

/** Reads it as the engine will, and looks whether it ever opens. */
function checkOccurs(checks: Checks, spec: ReleaseWindowSpec): void {
  const form = spec.cron !== undefined ? 'cron' : 'rrule';
  try {
    if (spec.rrule !== undefined) checkRuleOf(spec.rrule);
    const calendar = calendarOf(spec);
    if (calendar.once) {
      const { start, end } = calendar.once;
      if (start < end) return;
      // No clock skips an instant: it is compared with nothing.
      const skipped = (parseWall(spec.from!) ?? NaN) < (parseWall(spec.to!) ?? NaN);
      const why = skipped ? 'the clocks skip all of it' : 'it must end after it starts';
      return checks.invalid(`the window is never active: ${why}`, ['spec', 'to']);
    }
    const [first] = occurrences({ name: '', spec }, SAMPLE, 1);
    if (!first && !occursAfterStart(spec)) return checks.invalid(`${quote(spec[form])} never occurs`, ['spec', form]);
    checkEnd(checks, spec);
  } catch (error) {
    if (!(error instanceof WindowError)) throw error;
    const where =
      error.field === 'cron' || error.field === 'rrule' ? `${error.field} ${quote(spec[error.field])}: ` : '';
    checks.invalid(`${where}${error.message}`, ['spec', error.field]);
  }
}

/** @throws WindowError */
function checkRuleOf(rrule: string): void {
  try {
    checkRule(rrule);
  } catch (error) {
    throw new WindowError('rrule', (error as Error).message);
  }
}

/** A rule of 1997 that ended in 2010 is over, and one of 2040 has not begun: neither is wrong. */
function occursAfterStart(spec: ReleaseWindowSpec): boolean {
  const start = parseWall(spec.start ?? '');
  return start !== undefined && occurrences({ name: '', spec }, start, 1).length > 0;
}

/** An end that equals the start can mean nothing or a whole day: the author has to say which. */
function checkEnd(checks: Checks, spec: ReleaseWindowSpec): void {
  const end = parseTimeOfDay(spec.end ?? '');
  if (end === undefined) return;
  const calendar = calendarOf(spec);
  const from = Math.max(SAMPLE, parseWall(spec.start ?? '') ?? 0);
  for (const span of calendar.spans(from, from + 366 * 86_400_000, false)) {
    if (span.end - span.start !== 86_400_000) continue;
    return checks.invalid(`an occurrence would begin and end at ${spec.end}; for a whole day write duration: 24h`, [
      'spec',
      'end',
    ]);
  }
}
