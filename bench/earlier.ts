import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isQuiet } from './machine.ts';
import type { Figure } from './figure.ts';

/** Figures of earlier runs, kept with the code: a change that costs something shows it beside them. */
export const KEPT = fileURLToPath(new URL('../../bench/figures.json', import.meta.url));

export interface Kept extends Figure {
  /** When, in UTC, and of which commit. */
  at: string;
  commit: string;
  /** Cores that other people's work used meanwhile. */
  others: number;
}

export function readKept(file = KEPT): Kept[] {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Kept[]) : [];
}

/** Each figure of today in the place of the one that has its name; the others stay. */
export function keep(figures: Figure[], others: number, file = KEPT): void {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
  const today = figures.map((each): Kept => ({ ...each, at: new Date().toISOString(), commit, others }));
  const rest = readKept(file).filter((each) => !today.some((one) => keyOf(one) === keyOf(each)));
  writeFileSync(file, `${JSON.stringify([...rest, ...today], null, 2)}\n`);
}

export interface Compared extends Figure {
  earlier?: Kept;
  /** How much worse than it was, in percent; better: less than 0. Undefined: the two cannot be compared. */
  worse?: number;
}

/**
 * Shares of a floor are compared where there is a floor, else the values. Beside other people's work, today's or that day's, only what
 * does not depend on it is.
 */
export function compare(figures: Figure[], kept: Kept[], others: number): Compared[] {
  const known = new Map(kept.map((each) => [keyOf(each), each]));
  return figures.map((figure) => {
    const earlier = known.get(keyOf(figure));
    if (!earlier) return figure;
    const isComparable = isSteady(figure) || (isQuiet(others) && isQuiet(earlier.others));
    const [now, then] = [figure.ratio ?? figure.value, earlier.ratio ?? earlier.value];
    const more = (now / then - 1) * 100;
    return { ...figure, earlier, ...(isComparable && { worse: isRate(figure) ? -more : more }) };
  });
}

/** In percent: less than this is not told from chance. */
export const LOSS = 10;

export const lossesOf = (compared: Compared[]): Compared[] => compared.filter(({ worse = 0 }) => worse > LOSS);

/** Figures that are not what somebody has said they should be: below a rate, above everything else. */
export const missesOf = <T extends Figure>(figures: T[]): T[] =>
  figures.filter((each) => {
    const { value, aim } = each;
    return aim !== undefined && (isRate(each) ? value < aim : value > aim);
  });

const keyOf = ({ name, backend, unit }: Figure): string => [name, backend, unit].join(' ');

/** Counted, or CPU in units of the floor's. */
const isSteady = ({ name, unit }: Figure): boolean => name === 'cost' || unit.includes('CPU');

const isRate = ({ unit }: Figure): boolean => /\/s\b/.test(unit);
