import type { ReleaseEvent } from '../../src/core/events.ts';
import { git } from '../repositories.ts';
import type { Repository } from '../repositories.ts';
import type { History, Invariant, ReleaseHistory, RollbackHistory } from './history.ts';
import { Rule } from './history.ts';
import { isProof } from './hook-rules.ts';

/** Promise 7: to the exact version that was healthy there before, never in a loop, and with a word for every environment. */
export async function judgeRollbacks(
  repositories: { product: string; repository: Repository }[],
  history: History,
): Promise<Invariant[]> {
  return [
    once(history),
    settled(history),
    told(history),
    verified(history),
    await restored(repositories, history),
    reasons(history),
    leftAlone(history),
    reported(history),
  ];
}

const releaseOf = (history: History, { id }: RollbackHistory): ReleaseHistory =>
  history.releases.get(id) as ReleaseHistory;

function once({ rollbacks }: History): Invariant {
  const rule = new Rule('an environment goes back from a version by itself once');
  const seen = new Map<string, string>();
  for (const { id, product, digest, included, cause } of rollbacks) {
    if (cause.kind === 'MANUAL') continue;
    for (const environment of included) {
      const place = `${product} in ${environment} from ${digest}`;
      const before = seen.get(place);
      rule.expect(before === undefined, () => `${place}: rollback ${before}, and rollback ${id}`);
      seen.set(place, id);
    }
  }
  return rule;
}

function settled({ rollbacks }: History): Invariant {
  const rule = new Rule('every rollback has told all whom it takes back how it ended');
  for (const { id, settledAt } of rollbacks) rule.expect(settledAt !== null, () => `${id} is not settled`);
  return rule;
}

/** The last word in both logs: what a rollback did in an environment is what the release that it took back shows there. */
function told(history: History): Invariant {
  const rule = new Rule('a release that is taken back shows in each environment what its rollback did there');
  for (const rollback of history.rollbacks) {
    const release = releaseOf(history, rollback);
    release.plan.promotions.forEach(({ name, restores }, position) => {
      const origin = history.releases.get(restores?.origin ?? '');
      const at = origin?.plan.promotions.findIndex((each) => each.name === name) ?? -1;
      const shown = origin?.promotions[at]?.status;
      const did = release.promotions[position]?.status;
      // Retried since, it has a story of its own again; and a later rollback may have come to the same environment.
      const last = origin && lastAt(origin, name);
      if (did !== 'SUCCEEDED' || !shown || last?.rollback !== rollback.id) return;
      rule.expect(shown === 'ROLLED_BACK', () => `${rollback.id} brought ${name} back, ${origin?.id} shows ${shown}`);
    });
  }
  return rule;
}

function lastAt(release: ReleaseHistory, environment: string): { rollback?: string } | undefined {
  const own = release.events.filter(({ event }) => 'environment' in event && event.environment === environment);
  return own.findLast(({ event }) => event.type.startsWith('Promotion'))?.event as { rollback?: string } | undefined;
}

/** From the log alone: what was found healthy where, and what was taken back there, in the order in which it happened. */
function verified(history: History): Invariant {
  const rule = new Rule('an environment goes back to the last version that was found healthy there');
  const good = new Map<string, string[]>();
  const story = new Map<string, string[]>();
  const marked = new Set<string>();
  for (const { event, releaseId, product } of history.log) {
    const release = history.releases.get(releaseId) as ReleaseHistory;
    if (event.type === 'RollbackStarted') {
      judgeTargets(rule, release, product, event, {
        good,
        story,
        marked,
        gone: takenBack(history, release, event.digest),
      });
      if (release.plan.rollback?.markBad.scope !== 'NONE') marked.add(`${product} ${event.digest}`);
    }
    if (!('environment' in event)) continue;
    const planned = release.plan.promotions.find((each) => each.name === event.environment);
    const proven = planned !== undefined && isProof(event, planned);
    if (!proven && !isChange(event)) continue;
    const place = `${product} in ${event.environment}`;
    const restores = planned?.restores;
    const before = good.get(place) ?? [];
    // What was taken back is no longer anything to go back to, from the change on, also when that is not found healthy after.
    const gone = restores ? takenBack(history, release, restores.from.digest) : new Set<string>();
    const kept = before.filter((each) => !gone.has(each));
    if (!proven) {
      if (restores) good.set(place, kept);
      continue;
    }
    const brought = restores?.to.digest ?? release.digest;
    good.set(place, [...kept.filter((each) => each !== brought), brought]);
    const told = restores ? `${restores.from.label} back to ${restores.to.label}` : release.digest.slice(0, 12);
    story.set(place, [...(story.get(place) ?? []), `${releaseId.slice(0, 8)} ${told}`]);
  }
  return rule;
}

/**
 * The version that failed, and those whose promotions stood in the rollback's way: one may have succeeded before its stop came, even before
 * the rollback that had been decided was written.
 */
function takenBack(history: History, { plan }: ReleaseHistory, failed: string): Set<string> {
  return new Set([failed, ...(plan.origins ?? []).flatMap((origin) => history.releases.get(origin)?.digest ?? [])]);
}

function isChange(event: ReleaseEvent): event is Extract<ReleaseEvent, { type: 'StepSucceeded' }> {
  // A pull request that was opened has changed nothing yet.
  return event.type === 'StepSucceeded' && event.phase === 'ACTION' && !event.step.endsWith('/ACTION/open');
}

function judgeTargets(
  rule: Rule,
  { id, plan }: ReleaseHistory,
  product: string,
  { digest: bad }: Extract<ReleaseEvent, { type: 'RollbackStarted' }>,
  {
    good,
    story,
    marked,
    gone,
  }: {
    good: ReadonlyMap<string, string[]>;
    story: ReadonlyMap<string, string[]>;
    marked: ReadonlySet<string>;
    gone: ReadonlySet<string>;
  },
): void {
  for (const { name, restores } of plan.promotions) {
    const known = good.get(`${product} in ${name}`) ?? [];
    // What succeeded after the version that is taken back came while the rollback was decided: it will be left alone.
    const from = known.indexOf(restores?.from.digest ?? '');
    const isHere = (each: string): boolean => each !== bad && (each === restores?.to.digest || !gone.has(each));
    const candidates = (from < 0 ? known : known.slice(0, from)).filter(isHere);
    // Only what a rollback has marked bad before is passed over, for as long as the mark counts.
    const at = candidates.indexOf(restores?.to.digest ?? '');
    const fits = at >= 0 && candidates.slice(at + 1).every((each) => marked.has(`${product} ${each}`));
    const took = `from ${restores?.from.label} to ${restores?.to.label} (${restores?.to.digest.slice(0, 12)})`;
    rule.expect(
      fits,
      () =>
        `${id} takes ${name} ${took}, bad is ${bad.slice(0, 12)}, healthy there were ${candidates.join(', ') || 'none'}; what succeeded there: ${(story.get(`${product} in ${name}`) ?? []).join('; ')}`,
    );
  }
}

/** In git: the folder after the rollback is the folder as it was with the commit that had brought the version, byte for byte. */
async function restored(
  repositories: { product: string; repository: Repository }[],
  history: History,
): Promise<Invariant> {
  const rule = new Rule('what went back is byte for byte the last verified version');
  const bares = new Map(repositories.map(({ product, repository }) => [product, repository.bare]));
  for (const rollback of history.rollbacks) {
    const bare = bares.get(rollback.product);
    const release = releaseOf(history, rollback);
    if (bare === undefined) continue;
    for (const [position, { name }] of release.plan.promotions.entries()) {
      if (release.promotions[position]?.status !== 'SUCCEEDED') continue;
      const target = release.plan.rollback?.targets.find((each) => each.environment === name);
      const earlier = history.releases.get(target?.to?.release ?? '');
      const [was, is] = [earlier && commitOf(earlier, name), commitOf(release, name)];
      const [before, after] = await Promise.all([treeOf(bare, was, name), treeOf(bare, is, name)]);
      rule.expect(
        before !== null && before === after,
        () => `${release.id}: ${name} is ${after} at ${is}, and was ${before} at ${was} of release ${earlier?.id}`,
      );
    }
  }
  return rule;
}

/** The commit at which the release's content was there, the newest. */
function commitOf(release: ReleaseHistory, environment: string): string | undefined {
  const found = release.events.findLast(
    ({ event }) => event.type === 'ActionCommitted' && event.environment === environment,
  );
  return found?.event.type === 'ActionCommitted' ? found.event.commit : undefined;
}

function treeOf(bare: string, commit: string | undefined, environment: string): Promise<string | null> {
  if (commit === undefined) return Promise.resolve(null);
  return git(bare, 'rev-parse', `${commit}:${environment}`).then(
    (text) => text.trim(),
    () => null,
  );
}

/** Whatever did not go back has a reason, and so has what failed. */
function reasons(history: History): Invariant {
  const rule = new Rule('a rollback says why for every environment that it took or left alone');
  for (const rollback of history.rollbacks) {
    const { plan, promotions, id } = releaseOf(history, rollback);
    for (const { environment, decision, reason } of plan.rollback?.targets ?? []) {
      rule.expect(reason !== '', () => `${id}: ${environment} is ${decision}, and nobody says why`);
      const position = plan.promotions.findIndex((each) => each.name === environment);
      const promotion = promotions[position];
      if (!promotion || promotion.status === 'SUCCEEDED') continue;
      const problem = promotion.problem?.message ?? '';
      rule.expect(problem !== '', () => `${id}: ${environment} is ${promotion.status}, and nobody says why`);
    }
  }
  return rule;
}

/** Each report has words of its own; whose answer is lost comes again, when something else is live. */
function reported({ log }: History): Invariant {
  const rule = new Rule('a report of a rollout is about one release, however often it is told');
  const about = new Map<string, string>();
  for (const { event, releaseId, product } of log) {
    if (event.type !== 'RolloutReported') continue;
    const words = `${product} ${event.environment}: ${event.message}`;
    const before = about.get(words) ?? releaseId;
    about.set(words, before);
    rule.expect(before === releaseId, () => `"${words}" is told of ${before} and of ${releaseId}`);
  }
  return rule;
}

/**
 * An environment that could go back was not called impossible, and one that runs the bad version was not left alone as if it ran
 * another. From the log: what was found healthy there and never marked bad, and what was brought there last.
 */
function leftAlone(history: History): Invariant {
  const rule = new Rule('no rollback leaves out an environment that runs the bad version and could go back');
  const everMarked = new Set<string>();
  for (const { event, releaseId, product } of history.log) {
    const plan = history.releases.get(releaseId)?.plan.rollback;
    if (event.type === 'RollbackStarted' && plan?.markBad.scope !== 'NONE')
      everMarked.add(`${product} ${event.digest}`);
  }
  const good = new Map<string, Set<string>>();
  const live = new Map<string, { digest: string; at: number }>();
  for (const { event, releaseId, product, at } of history.log) {
    const release = history.releases.get(releaseId) as ReleaseHistory;
    if (event.type === 'RollbackStarted') {
      const { cause, targets = [] } = release.plan.rollback ?? {};
      for (const { environment, decision, reason } of targets) {
        const place = `${product} in ${environment}`;
        const is = live.get(place);
        const candidates = [...(good.get(place) ?? [])].filter(
          (each) => each !== event.digest && !everMarked.has(`${product} ${each}`),
        );
        // What came while the rollback was decided was not known to it.
        const settled = is !== undefined && is.at < (cause?.at ?? 0) - DECIDING;
        if (decision === 'IMPOSSIBLE' && settled && !/rollback is never rolled back/.test(reason))
          rule.expect(
            candidates.length === 0,
            () => `${releaseId}: ${environment} is IMPOSSIBLE (${reason}), healthy there were ${candidates.join(', ')}`,
          );
        if (decision === 'LEFT_ALONE' && settled && OTHER_VERSION.test(reason))
          rule.expect(
            is.digest !== event.digest,
            () => `${releaseId}: ${environment} is LEFT_ALONE (${reason}), and runs what is bad since ${is.at}`,
          );
      }
    }
    const planned = 'environment' in event && release.plan.promotions.find((each) => each.name === event.environment);
    if (!planned) continue;
    const place = `${product} in ${planned.name}`;
    const brought = planned.restores?.to.digest ?? release.digest;
    if (isChange(event)) {
      live.set(place, { digest: brought, at });
      // What was taken back is nothing to go back to.
      if (planned.restores) good.get(place)?.delete(planned.restores.from.digest);
    }
    if (isProof(event, planned)) good.set(place, new Set(good.get(place)).add(brought));
  }
  return rule;
}

/** In milliseconds: between a failure and the rollback that follows from it. */
const DECIDING = 2_000;
const OTHER_VERSION = / runs .* and not |has not started with|nothing was ever promoted/;
