import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { masked, sourceName } from '../core/access/index.ts';
import type { GitSourceSpec, Kind, StoredDefinition } from '../core/definitions.ts';
import { doneBy } from '../core/done-by.ts';
import { stateOf } from '../core/git-source.ts';
import type { Drifted, KeptStanding, SourceError } from '../core/git-source.ts';
import { quote } from '../core/wording.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { FolderRead } from '../drivers/driver.ts';
import { clientOf } from '../entities/data-source.ts';
import type { ManifestError } from '../manifests/index.ts';
import type { Parts } from '../parts.ts';
import { insertAudit } from '../store/audit-log.ts';
import type { AuditChange, AuditEntry } from '../store/audit-log.ts';
import { getDefinition, lockDefinitions } from '../store/definitions.ts';
import { definitionClock, lockStanding, moveStanding, readStanding, saveSynced } from '../store/git-sources.ts';
import type { StandingChange } from '../store/git-sources.ts';
import { readManifests } from './apply-manifests.ts';
import { auditChange } from './audit.ts';
import { considerManifests, inOrder, isChange, kindsChanged, writeConsidered } from './consider-manifests.ts';
import type { Considering, Manifests, Unplaced } from './consider-manifests.ts';
import type { DefinitionDraft } from './definition-draft.ts';
import { reconsiderReleases } from './reconsider.ts';

/** What a sync came to. */
export interface SyncOutcome {
  /** GONE: there is no such source. AS_IT_WAS: nothing is to be done. SYNCED: definitions are as `commit` says. */
  kind: 'GONE' | 'AS_IT_WAS' | 'SYNCED' | 'FAILED';
  commit?: string;
  errors: readonly SourceError[];
  /** How many definitions were created, changed or deleted. */
  changed: number;
  /** The repository could not be read, and may be soon. `retryAfter`: milliseconds that its host asked for. */
  unread?: { retryAfter: number | undefined };
}

/**
 * Brings definitions to what the folder of a source says at the head of its branch: all of its manifests, or none when one is wrong. Network.
 *
 * The standing of the source moves by compare-and-set in the transaction that writes, so of two processes that sync it at once one begins anew;
 * done twice it changes nothing. A commit that fails leaves what was applied before as it is, and its errors are kept. What was changed
 * here by another way is set back, and told.
 *
 * @param head where a look saw the branch: when nothing moved since the last sync, nothing is read. Absent: the remote is asked
 */
export async function syncSource(
  app: Parts,
  name: string,
  head: string | undefined,
  signal: AbortSignal,
): Promise<SyncOutcome> {
  for (let tried = 1; ; tried += 1) {
    const outcome = await trySync(app, name, head, signal);
    if (outcome !== 'OVERTAKEN') return outcome;
    if (tried < TRIES) continue;
    const message = 'other servers sync it at the same time';
    return { kind: 'FAILED', errors: [ofAll(message)], changed: 0, unread: { retryAfter: undefined } };
  }
}

const TRIES = 5;
/** Of files whose manifests are read. */
const ENDINGS = ['.yaml', '.yml', '.json'];

async function trySync(
  app: Parts,
  name: string,
  head: string | undefined,
  signal: AbortSignal,
): Promise<SyncOutcome | 'OVERTAKEN'> {
  const source = await getDefinition(app.dataSource, 'GitSource', name);
  if (!source) return { kind: 'GONE', errors: [], changed: 0 };
  const before = await readStanding(app.pool, name);
  if (head !== undefined && before && (await isCurrent(app, source, before, head)))
    return { kind: 'AS_IT_WAS', commit: head, errors: [], changed: 0 };
  let revision = before?.revision ?? 0;
  if (head !== undefined && head !== before?.seenCommit) {
    // Told before the repository is read, which may take its time.
    const seen = await moveStanding(app.pool, name, revision, { seenCommit: head, errors: [] }, app.clock.now());
    if (seen === null) return 'OVERTAKEN';
    revision = seen;
  }
  const at: At = { app, source, before, revision };
  let read: FolderRead;
  try {
    read = await readSource(app, source.spec, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof PermanentError || error instanceof TransientError)) throw error;
    const failed = await fail(at, head, [ofAll(error.message)]);
    if (failed === 'OVERTAKEN' || error instanceof PermanentError) return failed;
    return { ...failed, unread: { retryAfter: error.retryAfter } };
  }
  const { manifests, errors } = await manifestsIn(app, name, read);
  if (errors.length > 0) return fail(at, read.commit, errors);
  return apply(at, read, manifests);
}

interface At {
  app: Parts;
  source: StoredDefinition<'GitSource'>;
  /** Before this sync. */
  before: KeptStanding | null;
  /** From which the standing moves on. */
  revision: number;
}

/** As the git driver takes it; the same folder in the same repository. */
export const driverOf = ({ repoURL, branch, path }: GitSourceSpec) => ({
  type: 'git' as const,
  repoURL,
  branch,
  path,
});

/** The files of its folder. @throws PermanentError, TransientError */
export async function readSource(app: Parts, spec: GitSourceSpec, signal: AbortSignal): Promise<FolderRead> {
  const driver = driverOf(spec);
  return (await app.drivers.driver(driver).read(driver, ENDINGS, signal))!;
}

async function isCurrent(
  { pool }: Parts,
  { revision }: StoredDefinition<'GitSource'>,
  before: KeptStanding,
  head: string,
): Promise<boolean> {
  if (before.seenCommit !== head || stateOf(before, revision) !== 'SYNCED') return false;
  return before.clock === (await definitionClock(pool));
}

/** All manifests of all files, and what is wrong with them before they are compared with what is there. */
export async function manifestsIn(
  app: Parts,
  source: string,
  { files }: FolderRead,
): Promise<{ manifests: Manifests; errors: SourceError[] }> {
  const manifests: Manifests = [];
  const errors: SourceError[] = [];
  const seen = new Map<string, string>();
  for (const { path: file, text } of files) {
    if (text === null) {
      errors.push({ file, line: null, column: null, path: [], message: 'the file is not text in UTF-8' });
      continue;
    }
    const read = await readManifests(app, { text, fileName: file }, sourceName(source));
    errors.push(...read.errors.map(toError));
    for (const each of read.definitions) {
      const { kind, metadata } = each.definition;
      const wrong = whyNotHere(kind, metadata.name, seen.get(`${kind}/${metadata.name}`));
      if (wrong) errors.push({ file, ...each.position, path: [], message: wrong });
      else manifests.push(each);
      seen.set(`${kind}/${metadata.name}`, file);
    }
    if (errors.length >= MOST_ERRORS) break;
  }
  if (errors.length === 0 && manifests.length === 0)
    errors.push(
      ofAll('the folder holds no manifests in files that end in .yaml, .yml or .json: look at the path and the branch'),
    );
  return { manifests, errors };
}

function whyNotHere(kind: Kind, name: string, earlier: string | undefined): string | null {
  if (kind === 'GitSource')
    return `a git source is not synced from a git source: apply it by ${doneBy('manifestsApply', 'apply -f FILE')}`;
  if (earlier === undefined) return null;
  return `${kind} ${quote(name)} stands in ${quote(earlier)} already; remove one`;
}

/** That are kept of one sync. */
const MOST_ERRORS = 100;

const ofAll = (message: string): SourceError => ({ file: null, line: null, column: null, path: [], message });
const toError = ({ file, line, column, path, message }: ManifestError): SourceError => ({
  file: file ?? null,
  line,
  column,
  path: [...path],
  message,
});

/** Compares the manifests with what is there, and writes them when nothing is wrong. */
async function apply(at: At, read: FolderRead, manifests: Manifests): Promise<SyncOutcome | 'OVERTAKEN'> {
  const { app, source, before, revision } = at;
  const { name } = source.metadata;
  const { commit } = read;
  const now = app.clock.now();
  const ordered = inOrder(manifests);
  const written = await app.dataSource.transaction(async (manager) => {
    await lockDefinitions(manager);
    const client = await clientOf(manager);
    if (!(await isAsRead(manager, source))) return null;
    if (!(await lockStanding(client, name, revision))) return null;
    const prune = source.spec.prune ? (draft: DefinitionDraft) => draft.syncedBy(name) : null;
    const considered = await considerManifests(client, ordered, { prune, source: name }, now);
    if (considered.refusals.length > 0) return considered;
    const drift = driftIn(before, source.revision, commit, considered);
    const audit = (made: AuditChange): Promise<void> =>
      record(manager, at, { commit, drift, ...made, outcome: 'DONE', reasons: null });
    await writeConsidered(manager, considered, { actor: sourceName(name), now, audit });
    const has = ordered.map(({ definition: { kind, metadata }, file }) => ({ kind, name: metadata.name, file: file! }));
    await saveSynced(client, name, has);
    const change = { seenCommit: commit, errors: [], syncedWith: source.revision, drift };
    await moveStanding(client, name, revision, change, now);
    return considered;
  });
  if (written === null) return 'OVERTAKEN';
  if (written.refusals.length > 0) return fail(at, commit, await placed(at, read, written.refusals), written);
  reconsiderReleases(app, kindsChanged(written));
  const changed = written.saves.filter(isChange).length + written.removals.length;
  if (changed > 0) app.log.info({ source: name, commit, changed }, 'a git source was synced');
  return { kind: 'SYNCED', commit, errors: [], changed };
}

/** Whether the source is still there as this sync has read it. */
async function isAsRead(
  manager: EntityManager,
  { id, revision, metadata }: StoredDefinition<'GitSource'>,
): Promise<boolean> {
  const current = await getDefinition(manager, 'GitSource', metadata.name);
  return current?.id === id && current.revision === revision;
}

/** What was not as the commit says that was synced already; none where it is another commit, or the source is another one. */
function driftIn(before: KeptStanding | null, revision: number, commit: string, { saves }: Considering): Drifted[] {
  if (before?.syncedCommit !== commit || before.syncedWith !== revision) return [];
  return saves.filter(isChange).map(({ stored: { kind, metadata }, change }) => ({
    kind,
    name: metadata.name,
    how: change === 'CREATED' ? 'DELETED' : 'CHANGED',
  }));
}

/** Where in their files refusals stand. */
async function placed(
  { app, source }: At,
  { files }: FolderRead,
  refusals: readonly Unplaced[],
): Promise<SourceError[]> {
  const errors: SourceError[] = [];
  const texts = new Map(files.map(({ path, text }) => [path, text]));
  for (const file of new Set(refusals.map((each) => each.file))) {
    const here = refusals.filter((each) => each.file === file);
    const text = file === undefined ? null : texts.get(file);
    const asking = { caller: `manifests of ${sourceName(source.metadata.name)}`, what: 'the manifests' };
    const places = here.map(({ document, path }) => ({ document, path }));
    const positions = text ? await app.foreign.ask('placesIn', { text, places }, asking) : [];
    here.forEach(({ path, message }, index) => {
      const { line = null, column = null } = positions[index] ?? {};
      errors.push({ file: file ?? null, line, column, path: [...path], message });
    });
  }
  return errors;
}

/** Keeps why a commit is not applied. What was applied before stays. */
async function fail(
  at: At,
  commit: string | undefined,
  found: SourceError[],
  considered?: Considering,
): Promise<SyncOutcome | 'OVERTAKEN'> {
  const { app, source, before, revision } = at;
  const { name } = source.metadata;
  const errors = found.slice(0, MOST_ERRORS);
  const drift = commit !== undefined && considered ? driftIn(before, source.revision, commit, considered) : [];
  const change: StandingChange = { ...(commit !== undefined && { seenCommit: commit }), errors, drift };
  const moved = await app.dataSource.transaction(async (manager) => {
    await lockDefinitions(manager);
    // Of a source that was deleted or changed meanwhile it is no longer true.
    if (!(await isAsRead(manager, source))) return false;
    const to = await moveStanding(await clientOf(manager), name, revision, change, app.clock.now());
    if (to === null) return false;
    const reasons = errors.map(inWords);
    const states = {
      before: { errors: before?.errors ?? [] },
      after: { seenCommit: commit ?? null, errors },
      objects: [],
    };
    // The same failure of the same commit is found at every look.
    const isNew = before?.seenCommit !== commit || JSON.stringify(before?.errors) !== JSON.stringify(errors);
    if (isNew) app.log.warn({ source: name, commit, errors: reasons.slice(0, 5) }, 'a git source could not be synced');
    await record(manager, at, { commit, drift, ...states, outcome: 'REFUSED', reasons }, isNew);
    return true;
  });
  if (!moved) return 'OVERTAKEN';
  return { kind: 'FAILED', ...(commit !== undefined && { commit }), errors, changed: 0 };
}

/** `envs/eu.yaml:3:5: …`, as compilers print it. */
export const inWords = ({ file, line, column, message }: SourceError): string =>
  file === null ? message : `${file}:${line ?? 1}:${column ?? 1}: ${message}`;

interface Recorded extends AuditChange, Pick<AuditEntry, 'outcome' | 'reasons'> {
  commit: string | undefined;
  drift: readonly Drifted[];
}

/**
 * The entry of a sync in the audit log: that of the command that asked for it, or else one in the name of its source.
 * @param isNew false: only a command is told
 */
async function record(
  manager: EntityManager,
  { source: { metadata } }: At,
  { commit, drift, outcome, reasons, ...change }: Recorded,
  isNew = true,
): Promise<void> {
  const { name } = metadata;
  const [before, after] = [masked(change.before), masked(change.after)];
  const told = { before, after, objects: [{ kind: 'GitSource', name }, ...change.objects] };
  if ((await auditChange(manager, told)) || !isNew) return;
  await insertAudit(manager, {
    command: randomUUID(),
    actor: sourceName(name),
    actorKind: null,
    credential: null,
    action: 'gitSourceSync',
    transport: 'GIT',
    address: null,
    userAgent: null,
    input: { source: name, commit: commit ?? null, ...(drift.length > 0 && { drift }) },
    outcome,
    reasons,
    ...told,
  });
}
