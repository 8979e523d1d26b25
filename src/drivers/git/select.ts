import type { PromotionTemplateSpec } from '../../core/definitions.ts';
import { baseOf, howPromoted, isChosen, isPattern, isWhole } from '../../core/file-pattern.ts';
import type { HowPromoted, PromotedFiles } from '../../core/file-pattern.ts';
import { PermanentError } from '../driver.ts';
import { checkPath } from './address.ts';
import type { Resolved } from './links.ts';
import { listThroughLinks, throughLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import type { Entry } from './tree.ts';
import { checkAmount, checkFile, fileBelow, FOLDER, join } from './tree.ts';

/** A file of the source that a template selects, below the application's folder. */
export interface Selected {
  file: string;
  entry: Entry;
  how: HowPromoted;
}

/**
 * The files that the template means at a commit. What selects nothing is a warning, or refused, as the template says; a file that is
 * named is a mistake where it is not there, unless it may be gone.
 */
export async function selectFiles(
  mirror: Mirror,
  commit: string,
  folder: string,
  promotion: PromotedFiles,
  { whenAbsent, whenGone }: PromotionTemplateSpec,
  warnings: string[],
  signal: AbortSignal,
): Promise<Selected[]> {
  const names = Object.keys(promotion).filter((each) => !isPattern(each));
  const found = await Promise.all(names.map((file) => lookFor(mirror, commit, folder, file, signal)));
  const chosen = new Map<string, Entry>();
  const absent: string[] = [];
  for (const [index, file] of names.entries()) {
    const entry = found[index];
    if (entry) chosen.set(file, entry);
    else if (whenGone === 'DELETE' && isWhole(promotion[file]!)) absent.push(file);
    else throw missing(folder, file, commit);
  }
  const patterns = Object.keys(promotion).filter(isPattern);
  const isWanted = (file: string): boolean => patterns.some((each) => isChosen(promotion, each, file));
  const matched: string[] = [];
  for (const base of outermost(patterns.map(baseOf))) {
    const below = (file: string): string => join(base, file);
    const where = join(folder, base === '' ? '' : checkPath(base, 'folder')).replace(/\/$/, '');
    const listed = await listThroughLinks(mirror, commit, where, signal, (file) => isWanted(below(file)));
    for (const { file, entry } of listed) {
      matched.push(below(file));
      if (!chosen.has(below(file))) chosen.set(below(file), { ...entry, path: join(folder, below(file)) });
    }
  }
  absent.push(...patterns.filter((each) => !matched.some((file) => isChosen(promotion, each, file))));
  const selected = [...chosen].map(([file, entry]) => ({ file, entry, how: howPromoted(promotion, file)! }));
  if (selected.length === 0) throw new PermanentError(`${nothingAt(folder, absent)}, so there is nothing to promote`);
  if (absent.length > 0 && whenAbsent === 'REFUSE') throw new PermanentError(nothingAt(folder, absent));
  const then = whenGone === 'DELETE' ? 'what the targets have of it is removed' : 'what the targets have of it stays';
  warnings.push(...absent.map((each) => `${nothingAt(folder, [each])}: ${then}`));
  for (const kind of ['whole', 'values'] as const) {
    const entries = selected.flatMap(({ entry, how }) => (how.kind === kind ? [entry] : []));
    entries.forEach((each) => checkFile(each, kind));
    checkAmount(entries, folder, kind);
  }
  return selected;
}

const nothingAt = (folder: string, patterns: string[]): string =>
  `${folder === '' ? 'the repository' : `folder "${folder}"`} has no file ${patterns.map((each) => `"${each}"`).join(', ')}`;

function missing(folder: string, file: string, commit: string): PermanentError {
  return new PermanentError(`file "${join(folder, file)}" does not exist at commit ${commit.slice(0, 9)}`);
}

/** Folders without those that stand below others of them. */
export function outermost(folders: string[]): string[] {
  const all = [...new Set(folders)];
  const isIn = (each: string, other: string): boolean =>
    each !== other && (other === '' || each.startsWith(`${other}/`));
  return all.filter((each) => !all.some((other) => isIn(each, other)));
}

/** A file of the application's folder, through links. @throws PermanentError when it is not there */
export async function findFile(
  mirror: Mirror,
  commit: string,
  folder: string,
  file: string,
  signal: AbortSignal,
): Promise<Entry> {
  const entry = await lookFor(mirror, commit, folder, file, signal);
  if (!entry) throw missing(folder, file, commit);
  checkFile(entry, 'values');
  return entry;
}

async function lookFor(
  mirror: Mirror,
  commit: string,
  folder: string,
  file: string,
  signal: AbortSignal,
): Promise<Entry | undefined> {
  const path = fileBelow(folder, file);
  const [{ entry, inTheWay }] = (await throughLinks(mirror, commit, [path], signal)) as [Resolved];
  // Its name says what it is, whatever the file behind a link is called.
  return inTheWay || !entry || entry.mode === FOLDER ? undefined : { ...entry, path };
}
