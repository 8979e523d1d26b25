import { comesAtTheEnd } from '../../src/core/own-steps.ts';
import { ENDED_PROMOTION, ENDED_RELEASE, TAKEN_BACK } from '../../src/core/release.ts';
import type { Invariant, History, LogEntry, ReleaseHistory } from './history.ts';
import { mergesOf } from './fold-rules.ts';
import { Rule } from './history.ts';

/** Promises 2, 4 and 5, from the log alone. */
export function judgeLog(history: History): Invariant[] {
  const releases = [...history.releases.values()];
  return [
    gapless(releases),
    dependencies(releases),
    steps(releases),
    ...oneAtWork(history),
    ended(releases),
    emptyOutbox(history),
  ];
}

function gapless(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('events are numbered 1..n, and their times never go back');
  for (const { id, events, sequence } of releases) {
    events.forEach((each, index) => {
      rule.expect(each.sequence === index + 1, () => `${id}: event ${index + 1} has the number ${each.sequence}`);
      const before = events[index - 1];
      rule.expect(
        !before || before.at <= each.at,
        () => `${id}: event ${each.sequence} is older than the one before it`,
      );
    });
    rule.expect(
      sequence === events.length,
      () => `${id}: the release counts ${sequence} events, the log has ${events.length}`,
    );
  }
  return rule;
}

/** "Succeeded" stays true through retries; a group counts once its gate has passed. */
function dependencies(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('nothing starts before what it depends on');
  for (const { id, plan, events } of releases) {
    const met = new Set<string>();
    for (const { event, sequence } of events) {
      if (event.type === 'PromotionSucceeded') met.add(event.environment);
      // What a person skipped counts as if it had succeeded, until it is tried again.
      else if (event.type === 'PromotionSkipped' && event.byPerson) met.add(event.environment);
      else if (event.type === 'ReleaseRetried') for (const each of event.environments) met.delete(each);
      else if (event.type === 'GroupGatePassed') met.add(event.group);
      else if (event.type === 'PromotionStarted') {
        const planned = plan.promotions.find((each) => each.name === event.environment);
        const names = planned?.dependsOn.map((each) =>
          'group' in each ? plan.groups[each.group]?.name : plan.promotions[each.promotion]?.name,
        );
        const unmet = names?.filter((name) => !met.has(name as string)) ?? ['a place in the plan'];
        rule.expect(
          unmet.length === 0,
          () => `${id}: ${event.environment} started at event ${sequence} without ${unmet.join(', ')}`,
        );
      }
    }
  }
  return rule;
}

/** Each step starts after what it needs, and is recorded as done once. */
function steps(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('each step starts after what it needs, and succeeds once');
  for (const { id, plan, events } of releases) {
    const done = new Set<string>();
    const takenBack = new Set<string>();
    for (const { event, sequence } of events) {
      if ('status' in event && TAKEN_BACK.has(event.status)) takenBack.add(event.environment);
      // What a rollback took back, or another version came after, is all done again.
      if (event.type === 'PromotionStarted' && event.afresh) forget(done, event.environment);
      if (event.type === 'ReleaseRetried') {
        for (const environment of takenBack) forget(done, environment);
        takenBack.clear();
        // A change that was proposed and did not come is proposed anew.
        for (const { name, steps: planned } of plan.promotions.filter((each) => event.environments.includes(each.name)))
          for (const [opens, merges] of mergesOf(planned))
            if (merges.some((each) => !done.has(`${name} ${each}`))) done.delete(`${name} ${opens}`);
        // What comes at the end belongs to an end that is no longer true.
        for (const environment of event.environments)
          if (comesAtTheEnd(plan.promotions.find(({ name }) => name === environment)?.own)) forget(done, environment);
      }
      if (event.type !== 'StepStarted' && event.type !== 'StepSucceeded') continue;
      const place = `${event.environment} ${event.step}`;
      if (event.type === 'StepSucceeded') {
        rule.expect(!done.has(place), () => `${id}: ${place} succeeded again at event ${sequence}`);
        done.add(place);
        continue;
      }
      const planned = plan.promotions.find((each) => each.name === event.environment)?.steps ?? [];
      const needs = planned.find((each) => each.id === event.step)?.needs.map((each) => planned[each]?.id as string);
      const unmet = needs?.filter((need) => !done.has(`${event.environment} ${need}`)) ?? ['a place in the plan'];
      rule.expect(
        unmet.length === 0 && !done.has(place),
        () => `${id}: ${place} started at event ${sequence} without ${unmet.join(', ')}`,
      );
    }
  }
  return rule;
}

function forget(places: Set<string>, environment: string): void {
  for (const place of places) if (place.startsWith(`${environment} `)) places.delete(place);
}

/** In the order of the log, which is the order in which the products' locks were held. Hooks and steps without an environment have none to themselves. */
function oneAtWork({ log, releases }: History): Invariant[] {
  const environments = new Rule('one release at work in an environment of a product');
  const products = new Rule('one release at a time, where the product says so');
  const holders = new Map<string, string>();
  const ended = new Map<string, Set<string>>();
  // Its own work can be over before its log says how it ended: that waits for the rollback that takes it back.
  const isOver = (releaseId: string): boolean =>
    releases.get(releaseId)?.plan.promotions.every((each) => ended.get(releaseId)?.has(each.name)) ?? false;
  const take = (rule: Rule, place: string, { releaseId, sequence }: LogEntry): void => {
    const holder = holders.get(place);
    rule.expect(
      holder === undefined || holder === releaseId || (rule === products && isOver(holder)),
      () => `${place}: ${releaseId} began at its event ${sequence} while ${holder} was at work`,
    );
    holders.set(place, releaseId);
  };
  const leave = (place: string, { releaseId }: LogEntry): void => {
    if (holders.get(place) === releaseId) holders.delete(place);
  };
  for (const entry of log) {
    const { event, product, releaseId } = entry;
    if ('status' in event) {
      const over = ended.get(releaseId) ?? new Set();
      ended.set(releaseId, over);
      if (ENDED_PROMOTION.has(event.status)) over.add(event.environment);
      else over.delete(event.environment);
    }
    const place = 'environment' in event ? `${product} in ${event.environment}` : product;
    if (event.type === 'PromotionStarted') {
      const planned = releases.get(releaseId)?.plan.promotions.find(({ name }) => name === event.environment);
      if (planned?.environment !== null) take(environments, place, entry);
    } else if (/^Promotion(Succeeded|Failed|Terminated|Skipped)$/.test(event.type) && 'environment' in event) {
      leave(place, entry);
    } else if (event.type === 'ReleaseStarted' && standsInLine(releases.get(releaseId))) take(products, product, entry);
    else if (/^Release(Succeeded|Failed|Terminated)$/.test(event.type)) leave(product, entry);
  }
  return [environments, products];
}

/** A rollback waits for nobody's turn, and nobody for its. */
function standsInLine(release: ReleaseHistory | undefined): boolean {
  return release?.kind === 'FORWARD' && release.concurrency === 'QUEUE';
}

function ended(releases: ReleaseHistory[]): Invariant {
  const rule = new Rule('every release ends, and holds nothing any more');
  for (const release of releases) {
    const { id, status, endedAt, promotions } = release;
    rule.expect(ENDED_RELEASE.has(status) && endedAt !== null, () => `${id} is still ${status}: ${standing(release)}`);
    if (endedAt)
      rule.expect(!promotions.some((each) => each.holds), () => `${id} ended and still holds an environment`);
  }
  return rule;
}

/** Where it stands: enough to ask the right question of the logs. */
function standing({ product, plan, promotions, events }: ReleaseHistory): string {
  const open = promotions.flatMap(({ status, dispatch, steps }, position) => {
    const planned = plan.promotions[position];
    const busy = steps.flatMap((step, index) =>
      step.status === 'RUNNING' || step.status === 'WAITING'
        ? [
            `${planned?.steps[index]?.id} ${step.status} (job ${step.dispatch} of ${dispatch}, due ${step.recheckAt ?? 'when told'})`,
          ]
        : [],
    );
    return busy.length > 0 ? [`${planned?.name} ${status}: ${busy.join(', ')}`] : [];
  });
  const last = events.slice(-3).map(({ event, at }) => `${event.type} ${new Date(at).toISOString()}`);
  return `product ${product}; ${open.join('; ') || 'nothing runs'}; last events ${last.join(', ')}`;
}

function emptyOutbox({ outbox, releases }: History): Invariant {
  const rule = new Rule('nothing is left in the outbox');
  rule.expect(outbox.length === 0, () => `${outbox.length} rows: ${outbox.slice(0, 3).join(', ')}`);
  rule.checked = Math.max(rule.checked, releases.size);
  return rule;
}
