import type { GitDriverSpec, PromotionTemplateSpec } from '../../core/definitions.ts';
import { WHOLE_FOLDER } from '../../core/file-pattern.ts';
import type { PromotedFiles } from '../../core/file-pattern.ts';
import { wrongLabel } from '../../core/printable.ts';
import { contentDigest } from '../content.ts';
import type { PinnedContent, PinnedFile, PinnedValue } from '../driver.ts';
import { PermanentError } from '../driver.ts';
import type { SelectedValues } from '../edit/index.ts';
import { foreign } from '../../foreign/index.ts';
import { checkPath } from './address.ts';
import { factsOf, lastTouching, resolveCommit, shown } from './history.ts';
import type { CommitFacts } from './history.ts';
import { hasLinks, listThroughLinks } from './links.ts';
import type { Mirror } from './mirror.ts';
import { findFile, selectFiles } from './select.ts';
import type { Entry } from './tree.ts';
import { checkFile, readBlobs, textOf } from './tree.ts';

const SHORT = 9;

/** What is released: the promoted content of the source's folder, at one commit of its branch. */
export async function pinContent(
  mirror: Mirror,
  head: string,
  source: GitDriverSpec,
  template: PromotionTemplateSpec | undefined,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<PinnedContent> {
  const folder = checkPath(source.path, 'path');
  const at = wanted === undefined ? head : await resolveCommit(mirror, head, wanted, signal);
  const promotion = template?.promotion;
  const warnings: string[] = [];
  const files = promotion
    ? await pinSelected(mirror, at, folder, promotion, template, warnings, signal)
    : await pinFolder(mirror, at, folder, signal);
  const facts = wanted === undefined ? await changeOf(mirror, head, folder, signal) : await factsOf(mirror, at, signal);
  const { commit, author, message, date } = shown(facts);
  const label = template?.versionSource
    ? await readLabel(mirror, at, folder, template.versionSource, signal)
    : commit.slice(0, SHORT);
  const { onMissing, whenGone } = template ?? {};
  return {
    label,
    digest: contentDigest(files),
    commit,
    author,
    message,
    date,
    files,
    ...(onMissing !== undefined && onMissing !== 'REFUSE' && { onMissing }),
    ...(whenGone === 'DELETE' && { removes: promotion ?? WHOLE_FOLDER }),
    ...(warnings.length > 0 && { warnings }),
  };
}

/** The commit that is wanted, or the one that brought the folder to what it is at the head of the branch: what is released. */
export async function revisionAt(
  mirror: Mirror,
  head: string,
  path: string,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<CommitFacts> {
  if (wanted === undefined) return shown(await changeOf(mirror, head, checkPath(path, 'path'), signal));
  return shown(await factsOf(mirror, await resolveCommit(mirror, head, wanted, signal), signal));
}

/**
 * The last commit that touched the folder: where several environments share a branch, its head is often a commit of Sluice about
 * another one. Where symbolic links can bring content from elsewhere, only the head is sure to have it.
 */
async function changeOf(mirror: Mirror, head: string, folder: string, signal: AbortSignal): Promise<CommitFacts> {
  const last =
    folder === '' || (await hasLinks(mirror, head, signal))
      ? undefined
      : await lastTouching(mirror, head, [folder], signal);
  return last ?? factsOf(mirror, head, signal);
}

async function pinFolder(
  mirror: Mirror,
  commit: string,
  folder: string,
  signal: AbortSignal,
): Promise<PinnedContent['files']> {
  const listed = await listThroughLinks(mirror, commit, folder, signal);
  if (listed.length === 0)
    throw new PermanentError(`path "${folder || '.'}" does not exist at commit ${commit.slice(0, SHORT)}`);
  const entries = listed.map(({ entry }) => entry);
  entries.forEach((each) => checkFile(each));
  const blobs = await readBlobs(mirror, entries, signal);
  return Object.fromEntries(listed.map(({ file, entry }, index) => [file, whole(entry, blobs[index]!)]));
}

/**
 * A file without JSON paths is promoted whole. A shared template may name paths that one application lacks, which is said; a file
 * in which none selects anything is a mistake.
 */
async function pinSelected(
  mirror: Mirror,
  commit: string,
  folder: string,
  promotion: PromotedFiles,
  template: PromotionTemplateSpec,
  warnings: string[],
  signal: AbortSignal,
): Promise<PinnedContent['files']> {
  const selected = await selectFiles(mirror, commit, folder, promotion, template, warnings, signal);
  const blobs = await readBlobs(
    mirror,
    selected.map(({ entry }) => entry),
    signal,
  );
  const pinned = await Promise.all(
    selected.map(async ({ entry, how }, index) => {
      if (how.kind === 'whole') return whole(entry, blobs[index]!);
      const { path } = entry;
      const { jsonPaths } = how;
      const { values, absent } = await select(mirror, path, blobs[index]!, jsonPaths, signal);
      if (absent.length === jsonPaths.length)
        throw new PermanentError(`file "${path}" has nothing at ${jsonPaths.join(', ')}`);
      const missing = `file "${path}" has nothing at ${absent.join(', ')}`;
      if (absent.length > 0 && template.whenAbsent === 'REFUSE') throw new PermanentError(missing);
      if (absent.length > 0) warnings.push(`${missing}: what stands there in the targets stays as it is`);
      return { kind: 'values', values } satisfies PinnedFile;
    }),
  );
  return Object.fromEntries(selected.map(({ file }, index) => [file, pinned[index]!]));
}

function whole(entry: Entry, blob: Buffer): PinnedFile {
  const text = textOf(blob);
  const body = text === undefined ? { base64: blob.toString('base64') } : { text };
  return { kind: 'whole', ...body, ...(entry.mode === '100755' ? { executable: true } : {}) };
}

async function readLabel(
  mirror: Mirror,
  commit: string,
  folder: string,
  { file, jsonPath }: { file: string; jsonPath?: string },
  signal: AbortSignal,
): Promise<string> {
  const entry = await findFile(mirror, commit, folder, file, signal);
  const [blob] = await readBlobs(mirror, [entry], signal);
  if (jsonPath === undefined) return wholeLabel(entry.path, plainText(entry.path, blob!));
  const { values } = await select(mirror, entry.path, blob!, [jsonPath], signal);
  const found: PinnedValue | undefined = values[0]?.locations[0];
  const label = found?.text ?? (typeof found?.value === 'string' ? found.value : JSON.stringify(found?.value ?? null));
  if (label.trim() === '' || found?.value === null || typeof (found?.value ?? {}) === 'object')
    throw new PermanentError(`file "${entry.path}" has no version at ${jsonPath}`);
  const wrong = wrongLabel(label);
  if (wrong) throw new PermanentError(`file "${entry.path}": the version at ${jsonPath} ${wrong}`);
  return label;
}

/** In a process of its own: people who may push to the source decide what stands in the file. */
function select(
  mirror: Mirror,
  file: string,
  blob: Buffer,
  paths: string[],
  signal: AbortSignal,
): Promise<SelectedValues> {
  const text = plainText(file, blob);
  return foreign.ask('selectValues', { file, text, paths }, { caller: mirror.url, what: `file "${file}"`, signal });
}

/** The text of a file that holds a version and nothing else. */
function wholeLabel(path: string, text: string): string {
  const label = text.replace(/^\uFEFF/, '').trim();
  if (label === '') throw new PermanentError(`file "${path}" is empty, and its text is the version`);
  const lines = label.split('\n').length;
  if (lines > 1) throw new PermanentError(`file "${path}" has ${lines} lines, and its text is the version: one line`);
  const wrong = wrongLabel(label);
  if (wrong) throw new PermanentError(`file "${path}": the version ${wrong}`);
  return label;
}

function plainText(path: string, blob: Buffer): string {
  const text = textOf(blob);
  if (text === undefined) throw new PermanentError(`file "${path}" is not UTF-8 text`);
  return text;
}
