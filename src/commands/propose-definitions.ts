import { createHash } from 'node:crypto';
import { createTwoFilesPatch } from 'diff';
import { refuseMessage } from '../core/commit-message.ts';
import type { Definition, Kind, StoredDefinition } from '../core/definitions.ts';
import { sourceName } from '../core/access/index.ts';
import { refusal, RefusedError } from '../core/problems.ts';
import type { Refusal } from '../core/problems.ts';
import { inertly, plainly } from '../core/pull-request-text.ts';
import { quote, quoteList } from '../core/wording.ts';
import { PermanentError, TransientError } from '../drivers/driver.ts';
import type { Proposal } from '../drivers/driver.ts';
import type { Forge, PullRequestSeen } from '../drivers/forge/forge.ts';
import { exportManifest, MOST_EDITS, wholePatch } from '../manifests/index.ts';
import type { ManifestError, PlainManifests } from '../manifests/index.ts';
import type { Parts } from '../parts.ts';
import { readManifests } from './apply-manifests.ts';
import type { ManifestText } from './apply-manifests.ts';
import { auditChange } from './audit.ts';
import { considerManifests, inOrder, isChange } from './consider-manifests.ts';
import type { Manifests } from './consider-manifests.ts';
import { once } from './idempotency.ts';
import { serverUrl } from './release-url.ts';
import { driverOf, inWords, manifestsIn, readSource } from './sync-source.ts';

/** A change of definitions that a git source has, as a pull request to its repository. */
export interface ProposeInput extends ManifestText {
  /** What leaves the source. */
  removals: readonly { kind: Kind; name: string }[];
  /** Where nothing says it: all that is proposed is new. */
  source?: string;
  /** Where new definitions are written, from the root of the repository; a file for each in the folder of the source when absent. */
  file?: string;
  title?: string;
  /** The same again with one key is one pull request; the same change of the same commit is one without it. */
  idempotencyKey?: string;
}

/** A pull request that is open, or was. */
export interface ProposedDefinitions {
  source: string;
  pullRequest: Pick<PullRequestSeen, 'number' | 'url' | 'state'>;
  branch: string;
  commit: string;
  /** A unified diff of the files of the repository. */
  diff: string;
}

/** What was proposed, or why it was not; `errors` are those of the manifests. */
export type Proposed =
  | { value: ProposedDefinitions; refusals?: undefined; errors?: undefined }
  | { value?: undefined; refusals: Refusal[]; errors?: undefined }
  | { value?: undefined; refusals?: undefined; errors: ManifestError[] };

/**
 * Opens a pull request that edits the files of a git source in place, so that the definitions become as they are given. They are checked as if
 * they were applied. Nothing changes here before it is merged. Network.
 */
export async function proposeDefinitions(
  app: Parts,
  input: ProposeInput,
  actor: string | null,
  given?: PlainManifests,
): Promise<Proposed> {
  const { idempotencyKey: key, ...asked } = input;
  const keyed = { by: actor, operation: 'manifestsPropose', key, input: asked };
  try {
    const value = await once(app, keyed, {
      async before() {
        const proposed = await proposeNow(app, input, actor, given);
        if (!proposed.value) throw new NotProposedError(proposed);
        return proposed.value;
      },
    });
    return { value };
  } catch (error) {
    if (error instanceof NotProposedError) return error.proposed;
    if (error instanceof RefusedError) return { refusals: error.refusals };
    throw error;
  }
}

/** Keeps nothing with the key: the same can be proposed once its reason is gone. */
class NotProposedError extends RefusedError {
  constructor(readonly proposed: Proposed) {
    super(proposed.refusals ?? []);
  }
}

async function proposeNow(
  app: Parts,
  input: ProposeInput,
  actor: string | null,
  given: PlainManifests | undefined,
): Promise<Proposed> {
  const { text, fileName } = input;
  const read = given ?? (await readManifests(app, { text, fileName }, actor));
  if (read.errors.length > 0) return { errors: read.errors };
  const manifests = inOrder(read.definitions);
  const chosen = await sourceOf(app, manifests, input);
  if ('refusals' in chosen) return chosen;
  const { source } = chosen;
  const removed = input.removals.map(({ kind, name }) => `${kind}/${name}`);
  const prune = (draft: { syncedBy(source: string): StoredDefinition[] }): StoredDefinition[] =>
    draft.syncedBy(source.metadata.name).filter(({ kind, metadata }) => removed.includes(`${kind}/${metadata.name}`));
  const considered = await considerManifests(
    app.pool,
    manifests,
    { prune, source: source.metadata.name },
    app.clock.now(),
  );
  if (considered.refusals.length > 0) {
    const asking = { caller: `manifests of ${actor ?? 'anybody'}`, what: 'the manifests' };
    const positions = await app.foreign.ask('placesIn', { text, places: considered.refusals }, asking);
    return { errors: considered.refusals.map((each, at) => ({ ...each, file: fileName, ...positions[at]! })) };
  }
  const changes: Wanted[] = [
    ...considered.saves.flatMap((save, at) => {
      const written = writtenOf(manifests[at]!.text);
      const isOther = isChange(save);
      // Comments alone are a change of the file, if it does not have them.
      if (!isOther && written === null) return [];
      return [{ ...nameOf(save.stored), after: exportManifest(save.stored), written, isOther }];
    }),
    ...considered.removals.map((each) => ({ ...nameOf(each), after: null, written: null, isOther: true })),
  ];
  if (changes.length === 0) return nothingNew();
  const others = changes.filter(({ isOther }) => isOther);
  const title =
    input.title ??
    `Change ${quoteList(
      (others.length > 0 ? others : changes).map(({ kind, name }) => `${kind} ${name}`),
      3,
    ).replaceAll('"', '')}`;
  const [wrong] = refuseMessage(title);
  if (wrong || /[\r\n]/.test(title)) return refused('INVALID', wrong ?? 'the title has several lines', ['title']);
  try {
    const forge = await app.drivers.forge(source.spec.repoURL);
    if (!forge)
      return refused('INVALID', `no secret says which git host has ${source.spec.repoURL}: store one of use forge`, [
        'source',
      ]);
    const value = await propose({ app, source, forge, changes, title, input, actor });
    return value;
  } catch (error) {
    if (!(error instanceof PermanentError || error instanceof TransientError)) throw error;
    return refused('SOURCE_UNREACHABLE', error.message, ['source']);
  }
}

const refused = (code: Refusal['code'], message: string, path: string[]): { refusals: Refusal[] } => ({
  refusals: [refusal(code, message, path)],
});

const nothingNew = () => refused('INVALID', 'everything is defined like this already', ['text']);

interface Wanted {
  kind: Kind;
  name: string;
  /** Null: it is removed. */
  after: string | null;
  /** With the comments that a person wrote; null: there are none. */
  written: string | null;
  /** False: at most its comments are new. */
  isOther: boolean;
}

/** A text without the sign of comments has none. */
const writtenOf = (text: string | null): string | null => (text?.includes('#') ? text : null);

const nameOf = ({ kind, metadata }: Definition): { kind: Kind; name: string } => ({ kind, name: metadata.name });

/** The one source that all of it belongs to. */
async function sourceOf(
  app: Parts,
  manifests: Manifests,
  { source, removals }: ProposeInput,
): Promise<{ source: StoredDefinition<'GitSource'> } | { refusals: Refusal[] }> {
  const snapshot = await app.definitions.current();
  const named = [...manifests.map(({ definition }) => nameOf(definition)), ...removals];
  if (named.length === 0)
    return refused('INVALID', 'nothing is proposed: give manifests, or what is removed', ['text']);
  const nested = named.find(({ kind }) => kind === 'GitSource');
  if (nested) return refused('INVALID', `GitSource ${quote(nested.name)} is not synced: apply it`, ['text']);
  const missing = removals.find(({ kind, name }) => snapshot.syncedFrom(kind, name) === null);
  if (missing) return refused('NOT_FOUND', `no git source has ${missing.kind} ${quote(missing.name)}`, ['removals']);
  const found = new Set(named.flatMap(({ kind, name }) => snapshot.syncedFrom(kind, name)?.source ?? []));
  if (source !== undefined) found.add(source);
  const [only, ...more] = found;
  if (only === undefined)
    return refused('INVALID', 'none of it comes from a git source: apply it, or name the source', ['source']);
  if (more.length > 0)
    return refused('INVALID', `it belongs to the git sources ${quoteList([...found])}: propose to one at a time`, [
      'source',
    ]);
  const stored = snapshot.sources.find(({ metadata }) => metadata.name === only);
  return stored ? { source: stored } : refused('NOT_FOUND', `there is no GitSource ${quote(only)}`, ['source']);
}

interface Proposing {
  app: Parts;
  source: StoredDefinition<'GitSource'>;
  forge: Forge;
  changes: Wanted[];
  title: string;
  input: ProposeInput;
  actor: string | null;
}

/** The branch moved on between the read and the push, so often in a row. */
const TRIES = 3;

async function propose(proposing: Proposing): Promise<Proposed> {
  const { app, source, forge, changes, title, input, actor } = proposing;
  const { spec, metadata } = source;
  const signal = app.clock.limit('look', LONGEST);
  for (let tried = 1; ; tried += 1) {
    const read = await readSource(app, spec, signal);
    const { manifests, errors } = await manifestsIn(app, metadata.name, read);
    if (errors.length > 0) return refused('WRONG_STATE', `the branch has faults: ${inWords(errors[0]!)}`, ['source']);
    const before = new Map(read.files.map(({ path, text }) => [path, text]));
    const { files, touched } = await edited(proposing, manifests, before);
    if (touched.length === 0) return nothingNew();
    const digest = sha256(JSON.stringify(Object.entries(files)));
    const seed = sha256(JSON.stringify([actor, input.idempotencyKey ?? [digest, read.commit]]));
    const branch = `${app.config.git.branchPrefix}/definitions/${metadata.name}/${seed.slice(0, 16)}`;
    const target = { ...driverOf(spec), path: '.', commits: { message: title } };
    const place = {
      releaseId: seed.slice(0, 16),
      product: metadata.name,
      environment: 'definitions',
      application: metadata.name,
    };
    const key = `definitions/${seed.slice(0, 32)}/${sha256(JSON.stringify(changes)).slice(0, 16)}`;
    // What others have merged since it was read would be taken back.
    const stillMine = async (): Promise<boolean> => {
      const heads = await app.drivers.driver(target).heads(target, [spec.branch], signal);
      return heads?.kind === 'HEADS' && heads.heads.get(spec.branch) === read.commit;
    };
    let proposal: Proposal;
    try {
      const context = { ...place, key, attempt: 1, tries: tried - 1, signal, stillMine };
      proposal = await app.drivers.driver(target).proposeFiles(target, files, branch, context);
    } catch (error) {
      if (error instanceof TransientError && tried < TRIES) continue;
      if (
        error instanceof PermanentError &&
        input.idempotencyKey !== undefined &&
        error.message.includes('has not made')
      )
        return refused('IDEMPOTENCY_MISMATCH', 'the idempotency key was used with another change', ['idempotencyKey']);
      throw error;
    }
    if (!proposal.changed || proposal.commit === undefined)
      return refused('INVALID', `the branch ${quote(spec.branch)} says so already: it is synced at the next look`, [
        'text',
      ]);
    const wanted = {
      head: branch,
      base: spec.branch,
      title: inertly(title),
      body: bodyOf({ ...proposing, changes: touched }),
    };
    const { number, url, state } = await forge.open(spec.repoURL, wanted, { signal });
    const diff = Object.entries(files)
      .map(([path, text]) => fileDiff(path, before.get(path) ?? '', text ?? ''))
      .join('');
    const objects = [{ kind: 'GitSource', name: metadata.name }, ...touched.map(({ kind, name }) => ({ kind, name }))];
    await auditChange(app.dataSource.manager, {
      before: null,
      after: { url, branch, commit: proposal.commit },
      objects,
    });
    return {
      value: { source: metadata.name, pullRequest: { number, url, state }, branch, commit: proposal.commit, diff },
    };
  }
}

function fileDiff(path: string, before: string, after: string): string {
  const [from, to] = [`a/${path}`, `b/${path}`];
  const patch = createTwoFilesPatch(from, to, before, after, undefined, undefined, { maxEditLength: MOST_EDITS });
  return patch ?? wholePatch(from, to, before, after);
}

/** That a caller waits for, in milliseconds. */
const LONGEST = 60_000;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The files that change, as they become; null: one that goes. `touched`: what changes in them. */
async function edited(
  { app, source, changes, input }: Proposing,
  manifests: Manifests,
  texts: ReadonlyMap<string, string | null>,
): Promise<{ files: Record<string, string | null>; touched: Wanted[] }> {
  const folder = source.spec.path === '.' ? '' : `${source.spec.path}/`;
  const edits = new Map<string, (Wanted & { before: string | null })[]>();
  for (const each of changes) {
    const found = manifests.find(
      ({ definition: { kind, metadata } }) => kind === each.kind && metadata.name === each.name,
    );
    const file = found?.file ?? input.file ?? `${folder}${each.name}.${each.kind.toLowerCase()}.yaml`;
    const before = found ? exportManifest(found.definition) : null;
    // It left the branch meanwhile.
    if (before === null && (each.after === null || !each.isOther)) continue;
    // Where only comments may be new, what others have merged since the last sync stays.
    const after = each.isOther ? each.after : (before ?? each.after);
    edits.set(file, [...(edits.get(file) ?? []), { ...each, before, after }]);
  }
  const files: Record<string, string | null> = {};
  const touched: Wanted[] = [];
  const asking = { caller: `manifests of ${sourceName(source.metadata.name)}`, what: 'the manifests' };
  for (const [file, ofFile] of edits) {
    const asked = { file, text: texts.get(file) ?? '', edits: ofFile };
    const { text } = await app.foreign.ask('editManifests', asked, asking);
    const changed = ofFile.filter(({ isOther }) => isOther || text !== asked.text);
    if (changed.length > 0) files[file] = text;
    touched.push(...changed);
  }
  return { files, touched };
}

function bodyOf({ app, source, changes, actor }: Proposing): string {
  const lines = changes.map(
    ({ kind, name, after }) => `- ${after === null ? 'removes' : 'changes'} ${kind} ${plainly(name)}`,
  );
  return [
    `Proposed by ${plainly(actor ?? 'a caller without a name')} for git source **${plainly(source.metadata.name)}** of ${serverUrl(app.config)}:`,
    lines.join('\n'),
    'When this is merged, it is applied.',
  ].join('\n\n');
}
