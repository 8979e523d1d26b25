import type { RollbackCauseKind } from '../../../src/core/definitions.ts';
import type { PlannedPromotion } from '../../../src/core/plan.ts';
import { ENDED_PROMOTION } from '../../../src/core/release.ts';
import { createRollback } from '../../../src/core/rollback/create.ts';
import type { TargetParts } from '../../../src/core/rollback/create.ts';
import { planRollback, policyFor } from '../../../src/core/rollback/plan-rollback.ts';
import type { EnvironmentFacts, RollbackQuestion, RollbackRequest } from '../../../src/core/rollback/plan-rollback.ts';
import type { RollbackCause, RollbackPlan, VersionRef } from '../../../src/core/rollback/rollback.ts';
import { claim } from './claim.ts';
import { promotionsIn } from './members.ts';
import type { Around } from './members.ts';
import type { Obstacles } from './obstacles.ts';
import { Shell } from './shell.ts';

interface Order {
  id: string;
  cause: RollbackCause;
  version: VersionRef;
  asked: RollbackRequest | null;
  definite: boolean;
}

/** Who wants a rollback, what is found out before it, and the rollback that is made of it. */
export class Rollbacks {
  readonly #around: Around;
  readonly #obstacles: Obstacles;
  readonly #orders: Order[] = [];

  constructor(around: Around, obstacles: Obstacles) {
    this.#around = around;
    this.#obstacles = obstacles;
  }

  /** Orders that nobody has begun with. */
  get waiting(): number {
    return this.#orders.length;
  }

  /** The relay may die between the two things that it does: then it is asked for twice. */
  order(
    kind: RollbackCauseKind,
    environment: string,
    release: string | null,
    version: VersionRef,
    id: string,
    when: number,
    asked: RollbackRequest | null,
  ): void {
    const by = asked === null ? null : 'grace';
    const cause = { kind, environment, reason: 'broken', at: when, by, release };
    const order: Order = { id, cause, version, asked, definite: !this.#around.tape.chance(4) };
    this.#orders.push(order);
    if (this.#around.tape.chance(10)) this.#orders.push(order);
  }

  /** Somebody asks for a rollback, reports a failure, or an environment turns bad after its promotion. */
  ask(environment: string, kind: 'MANUAL' | 'DEGRADED' | 'REPORTED'): void {
    const [live] = this.#around.history.of(environment);
    if (!live) return;
    const everywhere = this.#around.tape.chance(30);
    const asked: RollbackRequest | null =
      kind === 'MANUAL' ? { environments: everywhere ? 'EVERYTHING_THAT_RUNS_IT' : [environment], to: null } : null;
    const release = live.rollback ? null : live.release;
    this.order(
      kind,
      environment,
      release,
      live.version,
      `${kind} ${this.#around.members.length} ${environment}`,
      this.#around.now,
      asked,
    );
  }

  /** Those come late and in another order. */
  start(place: number): void {
    this.#carryOut(this.#orders.splice(place, 1)[0]);
  }

  /** One of the orders is carried out; nothing where there is none, or where it was done before. */
  #carryOut(order: Order | undefined): void {
    if (order === undefined || this.#around.members.some((each) => each.id === order.id)) return;
    const { cause, version, asked } = order;
    const question = this.#question(order);
    if (asked === null) {
      const other = this.#around.members.find(
        (each) =>
          each.kind === 'ROLLBACK' &&
          each.version.digest === version.digest &&
          each.included.includes(cause.environment) &&
          promotionsIn(each.shell, cause.environment).some((promotion) => !ENDED_PROMOTION.has(promotion.status)),
      );
      if (other) {
        this.#around.reached.count('a rollback joined');
        const { environment, kind, reason, release } = cause;
        other.shell.tell({ kind: 'rollback-joined', environment, cause: kind, reason, release });
        return;
      }
    }
    const plan = planRollback(question);
    for (const { decision } of plan.targets) this.#around.reached.count(`rollback target ${decision}`);
    this.#around.reached.count(`rollback cause ${cause.kind}`);
    const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
    for (const target of going) {
      this.#around.history.claimGood(target, plan, question);
      if (target.decision !== 'INCLUDED' || asked !== null) continue;
      const before = this.#around.members.filter(
        (each) =>
          each.cause?.kind !== 'MANUAL' &&
          each.version.digest === version.digest &&
          each.included.includes(target.environment),
      );
      claim(before.length === 0, `${target.environment} goes back from ${version.label} by itself a second time`);
    }
    if (plan.targets.every((each) => each.decision === 'LEFT_ALONE')) return;
    this.#make(order, plan, question);
  }

  #make({ id, cause, version }: Order, plan: RollbackPlan, question: RollbackQuestion): void {
    const going = plan.targets.filter((each) => each.decision === 'INCLUDED' || each.decision === 'PROPOSED');
    const targets: Record<string, TargetParts<string>> = {};
    const origins = new Set(cause.release === null ? [] : [cause.release]);
    for (const { environment, to } of going) {
      const facts = question.environments.find((each) => each.name === environment) as EnvironmentFacts;
      const promotion = this.#around.plan.promotions.find(
        (each) => each.environment === environment,
      ) as PlannedPromotion;
      const release = facts.inFlight?.release ?? facts.history[0]?.release ?? '';
      if (facts.inFlight) origins.add(facts.inFlight.release);
      origins.add(release);
      const names = promotion.applications.map(({ name }) => name);
      const live = this.#around.history.live();
      targets[environment] = {
        origin: { release, promotion },
        contents: Object.fromEntries(names.map((name) => [name, to?.digest ?? ''])),
        expects: Object.fromEntries(
          names.map((name) => [name, { deployment: live[name]?.id ?? null, digests: [version.digest] }]),
        ),
        undo: {},
      };
    }
    for (const each of this.#around.members) {
      const { startedAt, endedAt } = each.shell.state;
      if (each.kind === 'FORWARD' && each.version.digest === version.digest && startedAt !== null && endedAt === null)
        origins.add(each.id);
    }
    const known = [...origins].filter((each) => this.#around.members.some((member) => member.id === each));
    const parts = {
      id,
      product: 'billing',
      flow: this.#around.plan.flow,
      plan,
      targets,
      origins: known,
      now: this.#around.now,
      actor: cause.by,
    };
    const made = createRollback(parts);
    const shell = new Shell({ world: this.#around, plan: made.plan, state: made.state });
    const included = going.filter((each) => each.decision === 'INCLUDED').map((each) => each.environment);
    this.#around.members.push({
      id,
      kind: 'ROLLBACK',
      number: this.#around.members.length,
      version,
      byPerson: false,
      shell,
      included,
      cause,
    });
    this.#obstacles.followUp(
      id,
      plan,
      going.map(({ environment }) => environment),
      included,
    );
    shell.tell({ kind: 'tick' });
  }

  #question({ cause, version, asked, definite }: Order): RollbackQuestion {
    const plan = cause.release === null ? null : this.#around.plan;
    return {
      now: this.#around.now,
      product: 'billing',
      cause,
      definite,
      version,
      plan,
      policy: policyFor(plan, cause),
      asked,
      environments: this.#around.environments.map((name) => this.#environmentFacts(name)),
    };
  }

  #environmentFacts(name: string): EnvironmentFacts {
    const history = this.#around.history.of(name).map((past) => ({
      ...past,
      markedBad: this.#obstacles
        .marksOn(past.version.digest, name)
        .some((each) => each.expiresAt === null || each.expiresAt > this.#around.now),
    }));
    const open = this.#around.members.filter((each) => !each.shell.ended);
    const here = open.flatMap((each) =>
      promotionsIn(each.shell, name)
        .filter((promotion) => !ENDED_PROMOTION.has(promotion.status))
        .map((promotion) => ({ each, promotion })),
    );
    const forward = here.filter(({ each }) => each.kind === 'FORWARD');
    const at = forward.find(({ promotion }) => promotion.startedAt !== null)?.each;
    const planned = forward.filter(({ promotion }) => promotion.startedAt === null);
    const back = here.find(({ each, promotion }) => {
      const spec = each.shell.plan.promotions.find((one) => one.environment === name);
      return each.kind === 'ROLLBACK' && (promotion.startedAt !== null || spec?.approval === null);
    })?.each;
    const restores = back?.shell.plan.promotions.find((one) => one.environment === name)?.restores;
    return {
      name,
      history,
      inFlight: at ? { release: at.id, version: at.version, floor: null } : null,
      planned: planned.map(({ each }) => ({ release: each.id, version: each.version })),
      rollback: back && restores ? { release: back.id, called: back.id, from: restores.from, to: restores.to } : null,
      automatic: this.#around.members
        .filter((each) => each.kind === 'ROLLBACK' && each.cause?.kind !== 'MANUAL' && each.included.includes(name))
        .map((each) => ({ release: each.id, called: each.id, version: each.version })),
      excluded: null,
      source: name === this.#around.plan.triggerEnvironment,
    };
  }
}
