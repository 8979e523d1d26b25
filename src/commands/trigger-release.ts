import type { Maker } from '../core/caller.ts';
import { betweenOf } from '../core/trigger/between.ts';
import type { Change } from '../core/trigger/change.ts';
import type { Parts } from '../parts.ts';
import { withoutFiles } from '../store/contents.ts';
import type { DefinitionSnapshot } from '../store/definition-snapshot.ts';
import type { NewRelease } from '../store/insert-release.ts';
import { insertAudited, insertAuditedIf } from './audit-release.ts';
import { madeBefore, once } from './idempotency.ts';
import type { KeyedInput } from './idempotency.ts';
import type { Orderer } from './orderer.ts';
import { refusable } from './result.ts';
import type { Result } from './result.ts';
import { askRevisions, dependsOnCommit, findCandidate, possibleChanges } from './trigger/find-candidate.ts';
import { freeze, withContent } from './trigger/freeze.ts';
import { pin } from './trigger/pin.ts';
import { planCandidate } from './trigger/plan-candidate.ts';
import type { PlannedCandidate } from './trigger/plan-candidate.ts';
import { refuseBadVersion } from './trigger/refuse-bad-version.ts';
import { refuseUnproposable } from './trigger/refuse-unproposable.ts';
import { makeRoomBehind, startRelease } from './trigger/start-release.ts';
import type { ReleaseNow } from './release-engine.ts';

/** What a caller asks to be released. */
export interface TriggerInput {
  product: string;
  /** The commit of the trigger environment to pin; the branch's head when left out. */
  commit?: string;
  /** For drivers without files: the version itself. */
  version?: string;
  /** Chosen by the rules when left out. */
  flow?: string;
  /** Of a promotion between two environments, which travels no flow: where its version comes from, and where it goes. */
  from?: string;
  to?: string;
  /** The label or digest of the earliest version to which environments may go back once this release ran there. */
  rollbackFloor?: string;
  idempotencyKey?: string;
  /** Release a version that is marked bad all the same: it waits wherever the mark counts. */
  acknowledgeBadVersion?: boolean;
}

/**
 * A release that a caller asks for: Change → Candidate → Pinned → Planned → Release, once per idempotency key. The sources are read
 * (network) outside any transaction; nothing is written before the release is, with everything that it froze.
 */
export function triggerRelease(
  app: Parts,
  input: TriggerInput,
  actor: string | null,
  { makers = [], visible = null }: Orderer = {},
): Promise<Result<{ releaseId: string }>> {
  return refusable(async () => {
    const change = changeOf(input, actor, makers);
    const keyed = keyedTrigger(input, actor);
    const created = await createdAsRemembered(app, input, change);
    if (created) {
      await makeRoomBehind(app, created);
      return { releaseId: created.state.id };
    }
    const releaseId = await once(app, keyed, {
      async before() {
        const definitions = await app.definitions.current();
        const release = await planned(app, definitions, input, change);
        if (input.acknowledgeBadVersion !== true) await refuseBadVersion(app, definitions, release, visible);
        return release;
      },
      async inside(tx, release) {
        const number = await insertAudited(tx, release);
        adopt(app, release, number);
        return release.state.id;
      },
      single: true,
    });
    await startRelease(app, releaseId);
    return { releaseId };
  });
}

/**
 * Planned by the definitions as this process remembers them, and written only if they are still the newest and no mark is on the version.
 * Null: nothing was written, and it has to be planned by the newest ones.
 */
async function createdAsRemembered(app: Parts, input: TriggerInput, change: Change): Promise<ReleaseNow | null> {
  const { remembered } = app.definitions;
  if (remembered === null || input.idempotencyKey !== undefined) return null;
  let release: NewRelease;
  try {
    release = await planned(app, remembered.snapshot, input, change);
  } catch (error) {
    // By the newest definitions it may be another answer.
    if ((await app.definitions.current()) !== remembered.snapshot) return null;
    throw error;
  }
  const still = { definitions: remembered.revision, unmarked: input.acknowledgeBadVersion !== true };
  // Files are written beside the engine's transactions: others would wait for them.
  if (withoutFiles(release.contents).apart.length === 0) return app.releaseEngine.create(release, still);
  const number = await insertAuditedIf(app.dataSource.manager, release, still);
  if (number === null) return null;
  adopt(app, release, number);
  return app.releaseEngine.tellKnown(release.state.id, { kind: 'tick' });
}

/** Its first decision needs no reading. */
function adopt(app: Parts, release: NewRelease, number: number): void {
  app.releaseEngine.adopt({ ...release, id: release.state.id, number }, release.state);
}

/** Change → Candidate → Pinned → Planned → Release, which is not written yet. */
async function planned(
  app: Parts,
  definitions: DefinitionSnapshot,
  { rollbackFloor }: TriggerInput,
  change: Change,
): Promise<NewRelease> {
  const now = app.clock.now().getTime();
  const candidate = findCandidate(definitions, change, await askRevisions(app, definitions, change));
  const drafted = planCandidate(definitions, candidate, { now, rollbackFloor });
  await refuseUnproposable(app, drafted.plan);
  const pinned = await pin(app, definitions, candidate, change);
  return freeze(withContent(drafted, pinned), change, app.clock.now().getTime());
}

function keyedTrigger(input: TriggerInput, by: string | null): KeyedInput {
  return { by, operation: 'triggerRelease', key: input.idempotencyKey, input };
}

/** The release that the same call has made already, by its key; null: there is none. */
export const releaseOfKey = (app: Parts, input: TriggerInput, actor: string | null): Promise<string | null> =>
  madeBefore(app, keyedTrigger(input, actor));

/** What `triggerRelease` would do; nothing is created and nothing is fetched, so the commit is not known. */
export function planRelease(app: Parts, input: TriggerInput): Promise<Result<PlannedCandidate>> {
  return refusable(async () => {
    const definitions = await app.definitions.current();
    const change = changeOf(input, null);
    const candidate = findCandidate(definitions, change);
    const { rollbackFloor } = input;
    const planned = planCandidate(definitions, candidate, { now: app.clock.now().getTime(), rollbackFloor });
    await refuseUnproposable(app, planned.plan);
    if (dependsOnCommit(definitions, change)) planned.plan.warnings.push(MAY_DIFFER);
    return planned;
  });
}

const MAY_DIFFER =
  'the flow can be another one: it depends on the commit, which a plan does not read; name the flow to see its plan';

/**
 * All that `triggerRelease` can do with this input, whatever the commit turns out to be. The caller must be
 * allowed to do all of it: the branch can move between the question and the release.
 */
export function possibleReleases(app: Parts, input: TriggerInput): Promise<Result<PlannedCandidate[]>> {
  return refusable(async () => {
    const definitions = await app.definitions.current();
    const now = app.clock.now().getTime();
    return possibleChanges(definitions, changeOf(input, null)).map((each) =>
      planCandidate(definitions, findCandidate(definitions, each), { now }),
    );
  });
}

/**
 * What a caller asks for, as a change.
 * @throws RefusedError
 */
export function changeOf(
  { product, flow, commit, version, ...places }: TriggerInput,
  by: string | null,
  makers: readonly Maker[] = [],
): Change {
  const between = betweenOf({ ...places, flow });
  return { kind: 'MANUAL', product, flow, ...(between && { between }), commit, version, by, makers };
}
