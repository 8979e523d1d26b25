import type { Labels, Selector } from '../definitions.ts';
import { steeringIn } from '../printable.ts';
import { quote, Refusals } from '../wording.ts';

export type Path = (string | number)[];

/** Roomy for people, far below what would hurt a database row, a job or a browser. */
export const LIMITS = {
  steps: 1000,
  /** Of one flow, all steps together: a thousand steps that each depend on a thousand are a mistake. */
  dependencies: 20_000,
  actions: 100,
  listEntries: 1000,
  description: 10_000,
  text: 1000,
  annotations: 256 * 1024,
  parameters: 64 * 1024,
  duration: 366 * 24 * 60 * 60 * 1000,
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

  optionalName(value: string | undefined, what: string, path: Path): void {
    if (value !== undefined) this.name(value, what, path);
  }

  /** A name in a selector: as a name, with `*` anywhere. */
  pattern(value: string, path: Path): void {
    if (value.length <= 63 && /^[-a-z0-9*]+$/.test(value)) return;
    this.invalid(`${quote(value)} must be a name, or a part of one with "*", for example "us-*"`, path);
  }

  text(value: string | undefined, what: string, path: Path, limit: number = LIMITS.text): void {
    if (value === undefined) return;
    if (value.length > limit) this.invalid(`${what} has ${value.length} characters; at most ${limit} fit`, path);
    else {
      // They break logs, commit trailers and environment variables.
      const steering = steeringIn(value, { lines: true });
      if (steering) this.invalid(`${what} ${steering}`, path);
    }
  }

  description(value: string | undefined): void {
    this.text(value, 'the description', ['spec', 'description'], LIMITS.description);
  }

  oneOf(value: string | undefined, choices: readonly string[], what: string, path: Path): void {
    if (value === undefined || choices.includes(value)) return;
    const hint = this.hint(value, choices);
    this.invalid(`${what} ${quote(value)} must be one of ${choices.join(', ')}.${hint}`, path);
  }

  integer(value: number | undefined, what: string, least: number, most: number, path: Path): void {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) return;
    this.invalid(`${what} is ${quote(value)}; it must be a whole number from ${least} to ${most}`, path);
  }

  /** Whole milliseconds, up to 366 days. */
  duration(value: number | undefined, what: string, path: Path, least: 0 | 1 = 1): void {
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= LIMITS.duration)) return;
    const range = least === 0 ? '0 or more' : 'more than 0';
    this.invalid(`${what} is ${quote(value)} ms; it must be ${range} and at most 366 days, for example 30s`, path);
  }

  /** False when there are too many, so that the caller does not look at each. */
  count(list: readonly unknown[] | undefined, what: string, path: Path, most: number = LIMITS.listEntries): boolean {
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

  labels(labels: Labels | undefined, path: Path): void {
    if (!labels || !this.count(Object.keys(labels), 'labels', path)) return;
    for (const [key, value] of Object.entries(labels)) {
      this.labelKey(key, [...path, key]);
      this.labelValue(value, [...path, key]);
    }
  }

  selector(selector: (Selector & { kinds?: string[] }) | undefined, path: Path): void {
    if (!selector) return;
    const { names, matchLabels, matchExpressions, kinds } = selector;
    if (this.count(names, 'names', [...path, 'names'])) {
      names?.forEach((name, i) => this.pattern(name, [...path, 'names', i]));
    }
    kinds?.slice(0, 10).forEach((kind, i) => {
      this.oneOf(kind, ['NON_PRODUCTION', 'PRODUCTION'], 'the kind', [...path, 'kinds', i]);
    });
    this.labels(matchLabels, [...path, 'matchLabels']);
    if (!this.count(matchExpressions, 'expressions', [...path, 'matchExpressions'])) return;
    matchExpressions?.forEach(({ key, operator, values }, i) => {
      const at = [...path, 'matchExpressions', i];
      this.labelKey(key, [...at, 'key']);
      this.oneOf(operator, ['In', 'NotIn', 'Exists', 'DoesNotExist'], 'the operator', [...at, 'operator']);
      const needsValues = operator === 'In' || operator === 'NotIn';
      if (needsValues && !values?.length) this.invalid(`${operator} needs at least one value`, [...at, 'values']);
      if (!needsValues && values?.length) this.invalid(`${operator} has no values; remove them`, [...at, 'values']);
      if (this.count(values, 'values', [...at, 'values'])) {
        values?.forEach((value, j) => this.labelValue(value, [...at, 'values', j]));
      }
    });
  }
}
