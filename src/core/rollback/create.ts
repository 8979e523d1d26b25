import type { Decision } from '../decision.ts';
import { createRelease } from '../create.ts';
import { DAY } from '../definitions.ts';
import type { PullRequestPolicy } from '../definitions.ts';
import type { ReleaseEvent } from '../events.ts';
import type { Expected, PlannedApplication, PlannedPromotion, PlannedStep, ReleasePlan, Undo } from '../plan.ts';
import { shareProposals, stepsOf } from '../phases.ts';
import type { RollbackPlan, RollbackTarget, VersionRef } from './rollback.ts';

/** What the store knows about one target that goes back, by itself or after an approval. `C`: a pinned version. */
export interface TargetParts<C> {
  /** The release whose promotion is taken back, and what it had planned there: where the applications live. */
  origin: { release: string; promotion: PlannedPromotion };
  /** Application → the content that the version to go back to had there. */
  contents: Record<string, C>;
  expects: Record<string, Expected>;
  undo: Record<string, Undo>;
}

export interface RollbackParts<C> {
  id: string;
  product: string;
  /** Of the release of the cause, or of the first target's. */
  flow: ReleasePlan['flow'];
  plan: RollbackPlan;
  /** By environment. */
  targets: Record<string, TargetParts<C>>;
  /** Releases that are told, whatever they have to do with the targets. */
  origins: string[];
  now: number;
  actor: string | null;
}

export interface NewRollback<C> extends Pick<Decision, 'state' | 'events'> {
  plan: ReleasePlan;
  contents: Record<string, C>;
}

/**
 * A rollback as a release: a promotion per environment that goes back (by itself, or after an approval), each with the
 * content that was good there. They depend on nothing: how many go at once and what a failure means is the policy's.
 */
export function createRollback<C>(parts: RollbackParts<C>): NewRollback<C> {
  const contents: Record<string, C> = {};
  const targets = parts.plan.targets.map((target) => withApplications(target, parts.targets[target.environment]));
  const rollback = { ...parts.plan, targets };
  const promotions = targets.flatMap((target) => {
    const known = parts.targets[target.environment];
    if (!known || target.to === null) return [];
    const promotion = planTarget(target, target.to, known);
    for (const { name, content } of promotion.applications) contents[content] = known.contents[name] as C;
    return [promotion];
  });
  const plan: ReleasePlan = {
    product: parts.product,
    flow: parts.flow,
    triggerEnvironment: '',
    onFailure: rollback.onTargetFailure === 'STOP' ? 'FINISH_RUNNING' : 'CONTINUE',
    timeout: DAY,
    promotions,
    groups: [],
    warnings: [],
    signsCommits: true,
    rollback,
    origins: parts.origins,
  };
  return { plan, contents, ...begin(parts, plan, rollback) };
}

/** What has no application that was there before has nothing to go back to. */
function withApplications<C>(target: RollbackTarget, parts: TargetParts<C> | undefined): RollbackTarget {
  if (target.to === null) return target;
  if (parts && parts.origin.promotion.applications.some(({ name }) => name in parts.contents)) return target;
  const reason = `none of the applications of ${target.environment} was there with ${target.to.label}`;
  return { ...target, decision: 'IMPOSSIBLE', reason, to: null, approval: null };
}

function planTarget<C>(target: RollbackTarget, to: VersionRef, parts: TargetParts<C>): PlannedPromotion {
  const { origin, contents } = parts;
  const pullRequest = proposedBy(origin.promotion);
  const { production, applications: all } = origin.promotion;
  const applications = all
    .filter(({ name }) => name in contents)
    .map(({ name, spec }): PlannedApplication => ({
      name,
      content: `${target.environment}/${name}`,
      spec,
      expects: parts.expects[name],
      undo: parts.undo[name],
    }));
  return {
    name: target.environment,
    environment: target.environment,
    production,
    group: null,
    dependsOn: [],
    required: 0,
    applications,
    steps: stepsBack(applications, pullRequest),
    approval: target.approval,
    timeout: null,
    ...(pullRequest && { pullRequest }),
    restores: {
      from: target.from ?? to,
      to: { digest: to.digest, label: to.label },
      origin: origin.release,
      ...(target.overChange && { overChange: true }),
    },
  };
}

function stepsBack(applications: PlannedApplication[], pullRequest?: PullRequestPolicy): PlannedStep[] {
  const making = { apply: true, soak: 0, ...(pullRequest && { pullRequest }) };
  const steps = stepsOf(applications, making, NO_WORKFLOWS);
  return pullRequest?.group === 'ENVIRONMENT' ? shareProposals(steps, applications) : steps;
}

/** Where a version came by pull request it goes back by one, for its branch is protected; Sluice merges that by itself, and at once. */
function proposedBy({ pullRequest }: PlannedPromotion): PullRequestPolicy | undefined {
  return pullRequest && { ...pullRequest, open: 'WHEN_GATES_HOLD', merge: 'AUTO', onNewer: 'WAIT', draft: false };
}

const NO_WORKFLOWS = new Map<string, never>();

const DECIDED = {
  PROPOSED: 'RollbackTargetProposed',
  IMPOSSIBLE: 'RollbackTargetImpossible',
  LEFT_ALONE: 'RollbackTargetLeftAlone',
} as const;

function begin<C>(
  { id, now, actor }: RollbackParts<C>,
  plan: ReleasePlan,
  { cause, version, targets }: RollbackPlan,
): Pick<Decision, 'state' | 'events'> {
  const { state, events } = createRelease(id, plan, version.label, now, actor);
  const started: ReleaseEvent = {
    type: 'RollbackStarted',
    cause: cause.kind,
    causedIn: cause.environment,
    reason: cause.reason,
    version: version.label,
    digest: version.digest,
    origin: cause.release ?? undefined,
    targets: targets.map(({ from, to, approval: _, ...target }) => ({ ...target, from: from?.label, to: to?.label })),
  };
  const told = targets.flatMap(({ environment: target, decision, reason, from, to }): ReleaseEvent[] => {
    // What goes back by itself is told of when it does.
    if (decision === 'INCLUDED') return [];
    return [{ type: DECIDED[decision], target, from: from?.label, to: to?.label, reason }];
  });
  for (const event of [started, ...told]) {
    state.sequence += 1;
    events.push({ sequence: state.sequence, at: now, releaseStatus: 'QUEUED', actor, event });
  }
  const impossible = targets.find((each) => each.decision === 'IMPOSSIBLE');
  if (impossible) {
    const message = `${impossible.environment} cannot go back: ${impossible.reason}`;
    state.firstProblem = { message, at: new Date(now).toISOString(), environment: impossible.environment };
    state.lastProblem = state.firstProblem;
  }
  return { state, events };
}
