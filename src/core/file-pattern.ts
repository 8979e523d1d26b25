import type { PromotionTemplateSpec } from './definitions.ts';
import { matchesGlob } from './selectors.ts';

/** Files and patterns of files, below an application's folder, each with what of them is promoted. */
export type PromotedFiles = NonNullable<PromotionTemplateSpec['promotion']>;
type PromotedFile = PromotedFiles[string];

/** How a file is promoted: as a whole, or the values at these JSON paths. */
export type HowPromoted = { kind: 'whole' } | { kind: 'values'; jsonPaths: string[] };

/** More parts than these are a mistake, and comparing them with files costs. */
export const MOST_PARTS = 20;

/** True for `config/`, `*.yaml` and `**`; false for the name of one file. */
export const isPattern = (file: string): boolean => file.includes('*') || file.endsWith('/');

/** Published templates write `*` where the whole file is meant. */
export const WHOLE_FILE = '*';

/** Whether an entry of a template promotes files as they are. */
export const isWhole = ({ jsonPaths }: PromotedFile): boolean => jsonPaths?.includes(WHOLE_FILE) ?? true;

/**
 * Whether a file is meant: `*` stands for any run of characters in one part of its path, `**` for any number of parts, also none, and a
 * slash at the end for all that is below that folder. A name without any of these means itself. All other signs mean themselves.
 */
export function matchesFile(pattern: string, file: string): boolean {
  const parts = partsOf(pattern);
  const names = file.split('/');
  let part = 0;
  let name = 0;
  let last = -1;
  let from = 0;
  // As with `*` in a text, only the newest `**` ever has to give way.
  while (name < names.length) {
    if (parts[part] === '**') {
      last = part;
      from = name;
      part += 1;
    } else if (part < parts.length && matchesGlob(parts[part]!, names[name]!)) {
      part += 1;
      name += 1;
    } else if (last >= 0) {
      from += 1;
      name = from;
      part = last + 1;
    } else return false;
  }
  return part === parts.length;
}

/** A folder is never meant by itself: behind a last `**` there is a file. */
function partsOf(pattern: string): string[] {
  const parts = (pattern.endsWith('/') ? `${pattern}**` : pattern).split('/');
  return parts.at(-1) === '**' ? [...parts, '*'] : parts;
}

/** The folder below which everything stands that the pattern can mean; '' is the application's folder. */
export function baseOf(pattern: string): string {
  const parts = partsOf(pattern);
  const open = parts.findIndex((each) => each.includes('*'));
  return parts.slice(0, open < 0 ? -1 : open).join('/');
}

/**
 * How a file is promoted; undefined: it is not. A file that is named is promoted as its name says. Of patterns, those with JSON paths go
 * before those without, and all of their paths count: `**` with `values.yaml` and its paths is the whole folder, and of that file the values.
 */
export function howPromoted(promotion: PromotedFiles, file: string): HowPromoted | undefined {
  const named = Object.hasOwn(promotion, file) && !isPattern(file) ? [promotion[file]!] : undefined;
  const entries = named ?? entriesFor(promotion, file);
  if (entries.length === 0) return undefined;
  const jsonPaths = new Set(entries.filter((each) => !isWhole(each)).flatMap((each) => each.jsonPaths ?? []));
  return jsonPaths.size > 0 ? { kind: 'values', jsonPaths: [...jsonPaths] } : { kind: 'whole' };
}

/** In the order of the patterns: that of the fields of a definition is not kept. */
function entriesFor(promotion: PromotedFiles, file: string): PromotedFile[] {
  const patterns = Object.keys(promotion).filter((each) => isChosen(promotion, each, file));
  return patterns.sort().map((each) => promotion[each]!);
}

/** Whether one of the patterns of a template means a file and does not leave it out. */
export const isChosen = (promotion: PromotedFiles, pattern: string, file: string): boolean =>
  isPattern(pattern) &&
  matchesFile(pattern, file) &&
  !promotion[pattern]!.except?.some((except) => matchesFile(except, file));

/** What a template without `promotion` promotes. */
export const WHOLE_FOLDER: PromotedFiles = { '**': {} };
