import { nextTurn } from '../clock.ts';
import type { Parts } from '../parts.ts';
import type { Kind, Labels, StoredDefinition } from '../core/definitions.ts';
import type { RefusalCode } from '../core/problems.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { ForeignText } from '../foreign/index.ts';
import { diffManifests, diffWords } from '../manifests/index.ts';
import type { ManifestError, ManifestPlace, PlainManifests } from '../manifests/index.ts';
import { clientOf } from '../entities/data-source.ts';
import { lockDefinitions } from '../store/definitions.ts';
import { auditChange } from './audit.ts';
import type { AuditChange } from './audit.ts';
import { reconsiderReleases } from './reconsider.ts';
import { commitWarnings } from './commit-warnings.ts';
import { considerManifests, inOrder, isChange, kindsChanged, writeConsidered } from './consider-manifests.ts';
import type { ExpectedRevision, Save } from './consider-manifests.ts';
import type { DefinitionDraft } from './definition-draft.ts';
import { warningsOf } from './manifest-warnings.ts';

/** What applying a manifest did, or would do, to one definition. */
export interface AppliedChange {
  kind: Kind;
  name: string;
  change: 'CREATED' | 'UPDATED' | 'UNCHANGED' | 'DELETED';
  /** A unified diff of the manifest as it was and as it is now, of the text where that alone is another; absent when nothing changed. */
  diff?: string | undefined;
  revision: number;
  /** What is accepted and will not do what its writer expects. */
  warnings: string[];
  /** The document that holds it, counted from 1; absent: it is deleted because none does. */
  document?: number;
}

/** Why manifests are refused; the code is INVALID when absent. */
export type ManifestRefusal = ManifestError & { code?: RefusalCode };

/** What came of manifests, or would come. Either `changes` or `errors` is empty. */
export interface Applied {
  changes: AppliedChange[];
  errors: ManifestRefusal[];
  /** The warnings of all changes, each with its place in the manifests. */
  warnings: Unplaced[];
}

/** Manifests as text; `fileName` is for messages about their places. */
export interface ManifestText {
  text: string;
  fileName?: string;
}

/** Manifests to be applied, all or none of them. */
export interface ApplyInput extends ManifestText {
  /** Says what would change and changes nothing. */
  dryRun: boolean;
  /** Deletes what carries all of these labels and is not in the manifests; null, or none, deletes nothing. */
  prune?: Labels | null;
  /** The revisions at which the caller has seen definitions of the text; another one is refused. 0: there was none. */
  expected?: readonly ExpectedRevision[];
  /** False: hosts of repositories are not asked what they will have against commits, which takes up to ten seconds. */
  askHosts?: boolean;
}

/** What the text holds, read in a thread within limits; text that is too much for them is an error like any other. */
export async function readManifests(
  { foreign }: { foreign: ForeignText },
  { text, fileName }: ManifestText,
  actor: string | null,
): Promise<PlainManifests> {
  try {
    return await foreign.ask('parseManifests', { text, fileName }, asking(actor));
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof TransientError)) throw error;
    const { message } = error;
    return { definitions: [], errors: [{ file: fileName, document: 1, line: 1, column: 1, path: [], message }] };
  }
}

const asking = (actor: string | null) => ({ caller: `manifests of ${actor ?? 'anybody'}`, what: 'the manifests' });

/**
 * Applies manifests, all of them or none: what they refer to may be in the same input, in any order. Errors name file,
 * line and column. A dry run says the same of the definitions as they are at that moment; it takes no lock and writes nothing.
 * @param read the same text, where it was read before
 */
export async function applyManifests(
  app: Parts,
  { text, fileName, dryRun, prune, expected = [], askHosts = true }: ApplyInput,
  actor: string | null,
  read?: PlainManifests,
): Promise<Applied> {
  const { definitions, errors } = read ?? (await readManifests(app, { text, fileName }, actor));
  if (errors.length > 0) return { changes: [], errors, warnings: [] };
  const manifests = inOrder(definitions);
  const labels = prune && Object.keys(prune).length > 0 ? prune : null;
  const asked = { prune: labels && ((draft: DefinitionDraft) => draft.labelled(labels)), expected };
  if (labels && manifests.length === 0) {
    const message = 'there are no manifests, and everything with these labels would be deleted; delete it by name';
    const error = { file: fileName, document: 1, line: 1, column: 1, path: [], message };
    return { changes: [], errors: [error], warnings: [] };
  }
  const { saves, removals, refusals, draft } = dryRun
    ? await considerManifests(app.pool, manifests, asked, app.clock.now())
    : await app.dataSource.transaction(async (manager) => {
        await lockDefinitions(manager);
        const considered = await considerManifests(await clientOf(manager), manifests, asked, app.clock.now());
        const audit = (change: AuditChange): Promise<unknown> => auditChange(manager, change);
        if (considered.refusals.length === 0)
          await writeConsidered(manager, considered, { actor, now: app.clock.now(), audit });
        return considered;
      });
  if (refusals.length > 0) {
    const positions = await app.foreign.ask('placesIn', { text, places: refusals }, asking(actor));
    const placed = refusals.map((each, at) => ({ ...each, file: fileName, ...positions[at]! }));
    return { changes: [], errors: placed, warnings: [] };
  }
  if (!dryRun) reconsiderReleases(app, kindsChanged({ saves, removals }));
  const { protocols } = app.config.git;
  const changed = saves.flatMap((each) =>
    isChange(each) && each.stored.kind === 'Application' ? [each.stored as StoredDefinition<'Application'>] : [],
  );
  const ofHosts = askHosts ? await commitWarnings(app, changed, draft) : new Map<string, string[]>();
  const own = await Promise.all(saves.map(({ stored }) => warningsOf(stored, draft, protocols)));
  const warnings: Unplaced[] = [];
  const diffs: (string | undefined)[] = [];
  for (const save of saves) diffs.push(await diffOf(save, draft));
  const changes = saves.map((save, at) => {
    const { kind, metadata } = save.stored;
    const { document, warnings: ofReading } = manifests[at]!;
    const place = (message: string, path: ManifestPlace['path']): Unplaced => ({ document, message, path });
    const all = [
      ...ofReading.map((each) => place(each, [])),
      ...own[at]!.map((each) => place(each.message, each.path)),
      ...(kind === 'Application' ? (ofHosts.get(metadata.name) ?? []) : []).map((each) =>
        place(each, ['spec', 'driver']),
      ),
      ...(labels ? warningsOfLabels(save.stored, labels) : []).map((each) => place(each, ['metadata', 'labels'])),
    ];
    warnings.push(...all);
    const change = toChange(save, [...new Set(all.map(({ message }) => message))]);
    return { ...change, diff: diffs[at], document };
  });
  return { changes: [...changes, ...removals.map(toRemoval)], errors: [], warnings };
}

/** A warning of `checkManifests`, as an error has its place. */
export type ManifestWarning = ManifestError;

/** Manifests as a dry run would take them, and where each warning belongs. It takes no lock and writes nothing. */
export async function checkManifests(
  app: Parts,
  input: Omit<ApplyInput, 'dryRun'>,
  actor: string | null,
  read?: PlainManifests,
): Promise<Omit<Applied, 'warnings'> & { warnings: ManifestWarning[] }> {
  const { text, fileName } = input;
  const applied = await applyManifests(app, { ...input, dryRun: true }, actor, read);
  const { warnings: found } = applied;
  if (found.length === 0) return { ...applied, warnings: [] };
  const positions = await app.foreign.ask('placesIn', { text, places: found }, asking(actor));
  const warnings = found.map((each, at) => ({ file: fileName, ...each, ...positions[at]! }));
  const byPlace = (a: ManifestWarning, b: ManifestWarning): number => a.document - b.document || a.line - b.line;
  return { ...applied, warnings: warnings.sort(byPlace) };
}

function warningsOfLabels({ kind, metadata }: StoredDefinition, labels: Labels): string[] {
  const missing = Object.entries(labels).filter(([key, value]) => metadata.labels[key] !== value);
  if (missing.length === 0) return [];
  const label = missing.map(([key, value]) => `${key}=${value}`).join(',');
  return [`${kind} "${metadata.name}" lacks the label ${label}: when it leaves the manifests it is not deleted`];
}

function toRemoval(before: StoredDefinition): AppliedChange {
  const { kind, metadata, revision } = before;
  const diff = diffManifests(before, undefined);
  return { kind, name: metadata.name, change: 'DELETED', diff, revision: revision + 1, warnings: [] };
}

/** When only the texts differ, it is a diff of the texts. */
async function diffOf({ stored, before, change, text }: Save, draft: DefinitionDraft): Promise<string | undefined> {
  if (change === 'UNCHANGED') return undefined;
  // Each can take long; others are served between two.
  await nextTurn();
  const diff = diffManifests(before ?? undefined, stored);
  return before && diff === '' ? diffWords(before, await draft.textOf(before), text) : diff;
}

function toChange({ stored, change }: Save, warnings: string[]): AppliedChange {
  const { kind, metadata, revision } = stored;
  return { kind, name: metadata.name, change, revision, warnings };
}

/** What is to be said of a part of a manifest. */
export interface Unplaced extends ManifestPlace {
  message: string;
}
