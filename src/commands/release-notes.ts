import type { Compared } from '../core/deployment-matrix.ts';
import type { DriverSpec } from '../core/definitions.ts';
import type { PlannedPromotion } from '../core/plan.ts';
import { newestOf, noted, TRACKER } from '../core/release-notes.ts';
import type { IssuePlaces, NotedCommit } from '../core/release-notes.ts';
import type { VersionRef } from '../core/rollback/rollback.ts';
import type { Parts } from '../parts.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { askRevisions, findCandidate } from './trigger/find-candidate.ts';
import { planCandidate } from './trigger/plan-candidate.ts';
import { askSources } from './trigger/ask-sources.ts';
import { changeOf } from './trigger-release.ts';
import type { TriggerInput } from './trigger-release.ts';

/** What a version brings to an environment, beside what was there before. */
export interface Notes {
  environment: string;
  /** Null: nothing was there, or several versions were. */
  from: VersionRef | null;
  to: VersionRef | null;
  /** The newest first; at most 100. */
  commits: NotedCommit[];
  /** How many commits it brings, and how many it takes away; null: not known. */
  added: number | null;
  gone: number | null;
  /** What is not known, and why; null: all is. */
  reason: string | null;
}

/** Commits that are listed for an environment. */
const MOST_COMMITS = 100;

/**
 * The commits between two versions of a product, source by source, from what this process has fetched: no promotion waits for it.
 * @param before null: nothing was there
 */
export async function notesBetween(
  app: Pick<Parts, 'drivers'>,
  snapshot: DefinitionSnapshot,
  product: string,
  { environment, before, after }: { environment: string; before: Compared | null; after: Compared },
  signal: AbortSignal,
): Promise<Notes> {
  const { version: to, commits: wanted } = after;
  const notes = { environment, from: before?.version ?? null, to, commits: [], added: null, gone: null };
  if (before === null) return { ...notes, reason: 'nothing was there before' };
  const sources = snapshot.applicationsOf(product).filter(({ metadata }) => wanted[metadata.name]);
  const tracker = snapshot.products.get(product)?.metadata.annotations[TRACKER];
  const asked = sources.map(async ({ metadata: { name }, spec: { driver } }) => {
    const [from, until] = [before.commits[name], wanted[name]!];
    if (!from) return `what was there before of ${name} has no commit`;
    return from === until
      ? { gone: 0, added: 0, commits: [] }
      : commitsOf(app, { name, driver }, { from, to: until }, tracker, signal);
  });
  const answers = await Promise.all(asked);
  const known = answers.filter((each) => typeof each !== 'string');
  const unknown = answers.find((each) => typeof each === 'string');
  const commits = newestOf(
    known.flatMap((each) => each.commits),
    MOST_COMMITS,
  );
  if (unknown !== undefined || known.length === 0)
    return { ...notes, commits, reason: unknown ?? 'the versions have no commits' };
  const sum = (of: 'added' | 'gone'): number => known.reduce((total, each) => total + each[of], 0);
  return { ...notes, commits, added: sum('added'), gone: sum('gone'), reason: null };
}

/** How many commits a version brings and takes away, and the newest of those that it brings. */
export interface Listed {
  gone: number;
  added: number;
  commits: NotedCommit[];
}

/**
 * The commits between two commits of a source, from what this process has fetched. Never fails.
 * @returns why they are not known, as a sentence, where they are not
 */
export async function commitsOf(
  { drivers }: Pick<Parts, 'drivers'>,
  { name, driver }: { name: string; driver: DriverSpec },
  { from, to }: { from: string; to: string },
  tracker: string | undefined,
  signal: AbortSignal,
): Promise<Listed | string> {
  try {
    const answer = await drivers.driver(driver).between(driver, { from, to, list: MOST_COMMITS }, signal);
    if (answer === undefined || driver.type !== 'git') return `${name} has no commits`;
    if (answer.kind === 'UNKNOWN')
      return `commit ${answer.missing.slice(0, 12)} of ${name} is not in this server's copy of its repository`;
    const forge = await drivers.forge(driver.repoURL).catch(() => undefined);
    const places: IssuePlaces = { repoURL: driver.repoURL, forge: forge?.kind, tracker };
    return { ...answer, commits: answer.commits.map((each) => noted(each, name, places)) };
  } catch {
    return `the commits of ${name} could not be read${signal.aborted ? ' in the time that there is for it' : ''}`;
  }
}

/** What a release would bring if it were triggered now: nothing is created. */
export interface Coming {
  product: string;
  snapshot: DefinitionSnapshot;
  /** By environment, in the order of the flow; without the one in which it begins. */
  promotions: PlannedPromotion[];
  /** What would be pinned, by source; its version is not known before that. */
  after: Compared;
}

/**
 * Finds the flow, and asks the sources where they stand, as a trigger does.
 * @throws RefusedError as `triggerRelease` does
 */
export async function comingRelease(app: Parts, input: TriggerInput): Promise<Coming> {
  const snapshot = await app.definitions.current();
  const change = changeOf(input, null);
  const candidate = findCandidate(snapshot, change, await askRevisions(app, snapshot, change));
  const { plan } = planCandidate(snapshot, candidate, { now: app.clock.now().getTime() });
  const { commit, version } = input;
  const about = commit === undefined ? 'product' : 'commit';
  const found = await askSources(
    app,
    snapshot,
    { product: input.product, environment: plan.triggerEnvironment, about },
    ({ spec: { driver } }, signal) => app.drivers.driver(driver).revision(driver, { commit, version }, signal),
  );
  const commits = Object.fromEntries(Object.entries(found).map(([name, each]) => [name, each.commit ?? null]));
  const promotions = plan.promotions.filter(
    ({ environment }) => environment !== null && environment !== plan.triggerEnvironment,
  );
  return { product: input.product, snapshot, promotions, after: { version: null, release: 0, commits } };
}

/** Of what comes, what an environment gets. */
export function partFor({ after }: Coming, { applications }: PlannedPromotion): Compared {
  const commits = Object.fromEntries(applications.map(({ content }) => [content, after.commits[content] ?? null]));
  return { ...after, commits };
}
