import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { nextTurn } from '../clock.ts';
import type { Maker } from '../core/caller.ts';
import { createRelease } from '../core/create.ts';
import { marks } from '../core/holds.ts';
import type { PlannedApplication, ReleasePlan } from '../core/plan.ts';
import type { Facts, OtherRelease, PromotionStatus } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { selectFlow } from '../core/trigger/select-flow.ts';
import { explainTemplate } from '../core/trigger/template.ts';
import { earliestStarts, waitingFor } from '../core/waiting.ts';
import type { WaitingReason } from '../core/waiting.ts';
import type { PinnedContent, PreviewedFile, WayBack } from '../drivers/driver.ts';
import { MOST_EDITS } from '../manifests/index.ts';
import type { Parts } from '../parts.ts';
import { firstOpen, readHoldsOf, readMarksOf, readOnTheirWay } from '../store/deployment-matrix.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import { loadRunway } from '../store/load-facts.ts';
import { readSummaries } from '../store/release-reads.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import { askRevisions, commitOf, findCandidate } from './trigger/find-candidate.ts';
import { withContent } from './trigger/freeze.ts';
import type { Planned } from './trigger/freeze.ts';
import { pin } from './trigger/pin.ts';
import { planCandidate } from './trigger/plan-candidate.ts';
import { changeOf } from './trigger-release.ts';
import type { TriggerInput } from './trigger-release.ts';

/** What a release would be and do, if it were triggered now. */
export interface ReleasePreview extends Pick<Planned, 'plan' | 'pinned'> {
  /** Why it takes this flow, step by step. */
  explanation: string[];
  /** Everything that it would wait for before its promotions start, as things stand. */
  reasons: WaitingReason[];
  /** By promotion; null: not known. */
  starts: (number | null)[];
}

/**
 * What `triggerRelease` would do with this input, to its end: the same flow, version, plan and gates. The sources are read, and nothing is
 * written. Network.
 */
export function previewRelease(
  app: Parts,
  input: TriggerInput,
  actor: string | null,
  makers: readonly Maker[] = [],
): Promise<Result<ReleasePreview>> {
  return refusable(async () => {
    const definitions = await app.definitions.current();
    const change = changeOf(input, actor, makers);
    const revisions = await askRevisions(app, definitions, change);
    const candidate = findCandidate(definitions, change, revisions);
    const { rollbackFloor } = input;
    const now = app.clock.now().getTime();
    const drafted = planCandidate(definitions, candidate, { now, rollbackFloor });
    const { plan, pinned, product } = withContent(drafted, await pin(app, definitions, candidate, change));
    const why = change.between
      ? [`it travels no flow: ${change.between.to} gets what is in ${change.between.from}`]
      : input.flow === undefined
        ? selectFlow(
            product,
            candidate.environment,
            commitOf(change, revisions[candidate.environment]),
            definitions.flows,
          ).explanation
        : ['it was named'];
    const sources = definitions
      .applicationsOf(product.metadata.name)
      .filter(({ spec }) => spec.environment === candidate.environment);
    const explanation = [...why, ...sources.flatMap((each) => explainTemplate(product, each, definitions.templates))];
    const newest = { plan, digest: pinned.digest, concurrency: product.spec.concurrency };
    const facts = await factsOfNewest(app, definitions, newest, now);
    const { state } = createRelease(NO_RELEASE, plan, pinned.version, now, actor, makers);
    const reasons = waitingFor(plan, state, facts, now);
    return { plan, pinned, explanation, reasons, starts: earliestStarts(plan, state, facts, now) };
  });
}

/** Of no release. */
const NO_RELEASE = '00000000-0000-4000-8000-000000000000';

/** Open promotions of an environment that are looked at for who goes first. */
const MOST_OPEN = 50;

/** As `loadFacts` reads them for a release; of one that is newer than all others. `digest`: of its version; null: any, which no marks keep out. */
export async function factsOfNewest(
  app: Pick<Parts, 'pool'>,
  definitions: DefinitionSnapshot,
  { plan, digest, concurrency }: { plan: ReleasePlan; digest: string | null; concurrency: string },
  now: number,
): Promise<Facts> {
  const { product } = plan;
  const environments = plan.promotions.flatMap(({ environment }) => environment ?? []);
  const places = environments.map((environment) => ({ product, environment }));
  const takesTurns = concurrency === 'QUEUE' || concurrency === 'SUPERSEDE';
  const [open, holds, bad, first] = await Promise.all([
    readOnTheirWay(app.pool, places, MOST_OPEN),
    readHoldsOf(app.pool, { environments, products: [product], at: now }),
    readMarksOf(app.pool, digest === null ? [] : [{ product, digest }], now),
    takesTurns ? firstOpen(app.pool, product) : null,
  ]);
  const ids = [...new Set(open.map(({ releaseId }) => releaseId))];
  const summaries = ids.length > 0 ? await readSummaries(app.pool, ids) : new Map<string, never>();
  const heldBy: Record<string, OtherRelease> = {};
  const ahead: Record<string, PromotionStatus> = {};
  for (const { environment, releaseId, status, holds: isAtWork } of open) {
    const other = summaries.get(releaseId);
    if (!other || (!isAtWork && (concurrency !== 'PIPELINE' || other.kind !== 'FORWARD'))) continue;
    if (heldBy[environment] !== undefined && ahead[environment] === undefined) continue;
    heldBy[environment] = { id: releaseId, called: shortIdOf(product, other.number) };
    // What is at work comes first in the list, and no other one goes before it.
    if (!isAtWork) ahead[environment] = status;
  }
  const all = environments.map((each) => [each, definitions.windowsFor(product, each)] as const);
  const windows = Object.fromEntries(all.filter(([, each]) => each.length > 0));
  const strict = Object.keys(windows).filter((each) => windows[each]?.some(({ spec }) => spec.runway));
  return {
    behind: first && { id: first.id, called: shortIdOf(product, first.number) },
    heldBy,
    ahead,
    windows,
    runway: strict.length > 0 ? await loadRunway(app.pool, product, strict) : {},
    live: {},
    holds: Object.fromEntries(environments.map((each) => [each, holds.filter((hold) => hold.environment === each)])),
    badVersions: Object.fromEntries(
      environments.map((each) => [each, bad.filter((mark) => marks(mark, each, definitions.groupsOf(each)))]),
    ),
    byPerson: true,
    overtaken: [],
  };
}

/** A file that would change, with a unified diff. */
export interface FileDiff {
  path: string;
  kind: PreviewedFile['kind'];
  /** Null: `reason` says why. */
  diff: string | null;
  reason: string | null;
}

/** What would be written for an application. */
export interface ApplicationDiff {
  application: string;
  files: FileDiff[];
  /** How many files there are besides those. */
  more: number;
  skipped: string[];
  /** Why it cannot be told, or would fail; null: it can. */
  reason: string | null;
}

/**
 * Asks the target as it is now; a failure is told, since a promotion would meet it, too.
 * @param pinned what it would get; undefined: nothing
 * @param back of a rollback
 */
export async function diffOf(
  { drivers }: Pick<Parts, 'drivers'>,
  { name, spec: { driver } }: Pick<PlannedApplication, 'name' | 'spec'>,
  pinned: PinnedContent | undefined,
  signal: AbortSignal,
  back?: WayBack,
): Promise<ApplicationDiff> {
  const none = { application: name, files: [], more: 0, skipped: [] };
  if (!pinned) return { ...none, reason: `there is nothing that ${name} would get` };
  try {
    const preview = await drivers.driver(driver).preview(driver, pinned, signal, back);
    if (preview === undefined) return { ...none, reason: 'its target has no files' };
    const { files, more, skipped } = preview;
    const diffs: FileDiff[] = [];
    for (const file of files) {
      // Each can take long; others are served between two.
      await nextTurn();
      diffs.push(fileDiff(file));
    }
    return { application: name, files: diffs, more, skipped, reason: null };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return { ...none, reason: signal.aborted ? 'it could not be read in the time that there is for it' : said };
  }
}

const HIDDEN = { LARGE: 'it is larger than 256 KiB', NO_TEXT: 'it is no UTF-8 text' };

const MOST_DIFF = 100_000;

function fileDiff(file: PreviewedFile): FileDiff {
  const { path, kind } = file;
  if (file.hidden) return { path, kind, diff: null, reason: HIDDEN[file.hidden] };
  const [from, to] = [kind === 'ADDED' ? '/dev/null' : `a/${path}`, kind === 'REMOVED' ? '/dev/null' : `b/${path}`];
  const options = { context: 3, maxEditLength: MOST_EDITS, headerOptions: FILE_HEADERS_ONLY };
  const diff = createTwoFilesPatch(from, to, file.before, file.after, undefined, undefined, options);
  if (diff === undefined) return { path, kind, diff: null, reason: 'its two sides share too little to be compared' };
  if (diff.length > MOST_DIFF) return { path, kind, diff: null, reason: 'its diff is longer than 100,000 characters' };
  return { path, kind, diff, reason: null };
}

/** How the promotion would change its applications: `commit`, `pr` or `none`. */
export function actionOf({ steps, pullRequest }: ReleasePlan['promotions'][number]): 'commit' | 'pr' | 'none' {
  if (pullRequest) return 'pr';
  return steps.some(({ work }) => work.kind === 'apply') ? 'commit' : 'none';
}
