import { formatDuration } from '../duration.ts';
import { LIST_ENTRIES, LONGEST, type DurationShape } from '../kinds/shape.ts';
import { steeringIn } from '../printable.ts';
import { quote, Refusals } from '../wording.ts';

export type Path = (string | number)[];

/** Roomy for people, far below what would hurt a database row, a job or a browser. */
export const LIMITS = {
  /** Of one flow, all steps together: a thousand steps that each depend on a thousand are a mistake. */
  dependencies: 20_000,
  actions: 100,
  annotations: 256 * 1024,
  parameters: 64 * 1024,
} as const;

const NAME = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const LABEL = /^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$/;
const SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** The house's rules for values, each with one message; collects what they refuse. */
export class Checks extends Refusals {
  invalid(message: string, path: Path): void {
    this.add('INVALID', message, path);
  }

  /** RFC 1123 label, as Kubernetes names things. */
  name(value: string, what: string, path: Path): void {
    if (value.length <= 63 && NAME.test(value)) return;
    this.invalid(
      `${what} ${quote(value)} must be 1 to 63 lower-case letters, digits and "-", ` +
        'beginning and ending with a letter or digit',
      path,
    );
  }

  /** A name in a selector: as a name, with `*` anywhere. */
  pattern(value: string, path: Path): void {
    if (value.length <= 63 && /^[-a-z0-9*]+$/.test(value)) return;
    this.invalid(`${quote(value)} must be a name, or a part of one with "*", for example "us-*"`, path);
  }

  text(value: string | undefined, what: string, path: Path, limit: number): void {
    if (value === undefined) return;
    if (value.length > limit) this.invalid(`${what} has ${value.length} characters; at most ${limit} fit`, path);
    else {
      // They break logs, commit trailers and environment variables.
      const steering = steeringIn(value, { lines: true });
      if (steering) this.invalid(`${what} ${steering}`, path);
    }
  }

  oneOf(value: string | undefined, choices: readonly string[], what: string | undefined, path: Path): void {
    if (value === undefined || choices.includes(value)) return;
    const hint = this.hint(value, choices);
    this.invalid(
      `${what === undefined ? '' : `${what} `}${quote(value)} must be one of ${choices.join(', ')}.${hint}`,
      path,
    );
  }

  integer(value: number | undefined, what: string, least: number, most: number, path: Path): void {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return;
    this.invalid(`${what} is ${quote(value)}; it must be a whole number from ${least} to ${most}`, path);
  }

  /** Whole milliseconds, up to 366 days. */
  duration(value: number, what: string, path: Path, { least, why }: Pick<DurationShape, 'least' | 'why'>): void {
    const range = least === 0 ? '0 or more' : 'more than 0';
    if (!Number.isSafeInteger(value) || value < Math.min(least, 1) || value > LONGEST) {
      this.invalid(`${what} is ${quote(value)} ms; it must be ${range} and at most 366 days, for example 30s`, path);
    } else if (value < least) {
      this.invalid(`${what} is ${value} ms; write ${formatDuration(least)} or more: ${why}`, path);
    }
  }

  /** False when there are too many, so that the caller does not look at each. */
  count(list: readonly unknown[] | undefined, what: string, path: Path, most: number = LIST_ENTRIES): boolean {
    if ((list?.length ?? 0) <= most) return true;
    this.invalid(`there are ${list!.length} ${what}; at most ${most} are possible`, path);
    return false;
  }

  labelKey(key: string, path: Path): boolean {
    const slash = key.indexOf('/');
    const prefix = slash === -1 ? undefined : key.slice(0, slash);
    const name = key.slice(slash + 1);
    const fine =
      name.length <= 63 &&
      LABEL.test(name) &&
      (prefix === undefined || (prefix.length <= 253 && SUBDOMAIN.test(prefix)));
    if (!fine) {
      this.invalid(
        `the key ${quote(key)} must be at most 63 letters, digits, "-", "_" and ".", ` +
          'with an optional domain and "/" before it, for example "team" or "example.com/team"',
        path,
      );
    }
    return fine;
  }

  labelValue(value: string, path: Path): void {
    if (value === '' || (value.length <= 63 && LABEL.test(value))) return;
    this.invalid(
      `the value ${quote(value)} must be at most 63 letters, digits, "-", "_" and ".", ` +
        'beginning and ending with a letter or digit',
      path,
    );
  }
}
