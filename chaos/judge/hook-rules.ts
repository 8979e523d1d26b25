import type { ReleaseEvent } from '../../src/core/events.ts';
import type { PlannedPromotion, PlannedStep, ReleasePlan } from '../../src/core/plan.ts';
import { isHook } from '../../src/core/plan.ts';
import { isOfRelease } from '../../src/core/own-steps.ts';
import { ENDED_PROMOTION } from '../../src/core/release.ts';
import type { PromotionStatus } from '../../src/core/release.ts';
import type { Reached } from '../../test/core/support/reached.ts';
import { imageOf, ticketOf } from '../target.ts';
import type { Call } from '../target.ts';
import type { History, Invariant, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';

/** Hooks, steps without an environment and policies, from the log and the frozen plans alone. `reached`: counts what there was of each. */
export function judgeHooks(history: History, reached: Reached): Invariant[] {
  const rules = {
    once: new Rule('a hook runs once for each thing that it is about'),
    first: new Rule('nothing starts before the onStart of its release has succeeded'),
    last: new Rule("a release's last hooks come after everything else, also after the onFail of its environments"),
    about: new Rule('an onFail of an environment runs when that has failed or was stopped, and only then'),
    ended: new Rule('a release ends after its hooks, and as they went; one that did not succeed has run its onFail'),
  };
  for (const release of history.releases.values()) if (release.kind === 'FORWARD') walk(release, rules, reached);
  return [...Object.values(rules), takenBack(history, reached), policies(history, reached)];
}

type Rules = Record<'once' | 'first' | 'last' | 'about' | 'ended', Rule>;

/** Where one promotion stands, as the events tell. `begun`: it has started since it began anew the last time. */
interface Standing {
  planned: PlannedPromotion;
  status: PromotionStatus;
  begun: boolean;
}

function walk({ id, plan, events }: ReleaseHistory, rules: Rules, reached: Reached): void {
  const all = new Map(
    plan.promotions.map((planned): [string, Standing] => [planned.name, { planned, status: 'PENDING', begun: false }]),
  );
  const steps = new Set<string>();
  let started = false;
  let ended = false;
  for (const { event, sequence } of events) {
    const place = `${id}, event ${sequence}`;
    const standing = 'environment' in event ? all.get(event.environment) : undefined;
    if (event.type === 'ReleaseStarted') started = true;
    if (event.type === 'ReleaseRetried') {
      // While it runs, only some begin anew: its end is still to come, and it was started before.
      if (ended) started = false;
      ended = false;
      for (const name of event.environments)
        Object.assign(all.get(name) as Standing, { status: 'PENDING', begun: false });
    }
    if (event.type === 'StepStarted' && event.phase.startsWith('ON_')) {
      const step = `${event.environment} ${event.step}, attempt ${event.attempt}`;
      rules.once.expect(!steps.has(step), () => `${place}: ${step} started again`);
      steps.add(step);
    }
    if (event.type === 'PromotionStarted' && standing) {
      mayStart(place, plan, all, standing, rules, reached);
      standing.begun = true;
    }
    if ('status' in event && standing) standing.status = event.status;
    if (!/^Release(Succeeded|Failed|Terminated)$/.test(event.type) || ended) continue;
    ended = true;
    if (started) judgeEnd(place, event.type, all, rules.ended, reached);
  }
}

function mayStart(
  place: string,
  plan: ReleasePlan,
  all: ReadonlyMap<string, Standing>,
  { planned, begun }: Standing,
  rules: Rules,
  reached: Reached,
): void {
  const { name, own, of } = planned;
  const about = of === undefined ? undefined : all.get(plan.promotions[of]?.name ?? '');
  if (own !== undefined) rules.once.expect(!begun, () => `${place}: ${name} started again`);
  const onStart = all.get('ON_START');
  if (onStart !== undefined && own === undefined)
    rules.first.expect(onStart.status === 'SUCCEEDED', () => `${place}: ${name} started, onStart is ${onStart.status}`);
  if (about !== undefined) {
    const { status } = about;
    rules.about.expect(
      status === 'FAILED' || (status === 'TERMINATED' && about.begun),
      () => `${place}: ${name} started, and ${about.planned.name} is ${status}`,
    );
    const kind = about.planned.environment === null ? 'step' : about.planned.group === null ? 'environment' : 'member';
    reached.count(`hook onFail of an ${status} ${kind}`);
  }
  if (own === undefined || own === 'ON_START' || of !== undefined) return;
  for (const other of all.values()) {
    if (other.planned === planned || (isOfRelease(other.planned) && other.planned.own === 'ON_FAIL')) continue;
    if (own === 'ON_SUCCESS' && isOfRelease(other.planned) && other.planned.own !== 'ON_START') continue;
    rules.last.expect(
      ENDED_PROMOTION.has(other.status),
      () => `${place}: ${name} started, and ${other.planned.name} is ${other.status}`,
    );
  }
}

/** The first end since it was created, or retried: what a rollback does to it later is no news for its hooks. */
function judgeEnd(place: string, how: string, all: ReadonlyMap<string, Standing>, rule: Rule, reached: Reached): void {
  const well = how === 'ReleaseSucceeded';
  for (const { planned, status, begun } of all.values()) {
    const { name, own, of } = planned;
    if (own === undefined) continue;
    rule.expect(ENDED_PROMOTION.has(status), () => `${place}: ${how}, and ${name} is ${status}`);
    if (of !== undefined) {
      reached.count(`hook onFail of a promotion ${status}`);
      const about = [...all.values()][of] as Standing;
      if (about.status === 'FAILED')
        rule.expect(begun, () => `${place}: ${about.planned.name} has failed, and ${name} did not run`);
      continue;
    }
    reached.count(`hook ${own} ${status}`);
    if (own === 'ON_FAIL') {
      rule.expect(begun !== well, () => `${place}: ${how}, and ON_FAIL ${begun ? 'ran' : 'did not run'}`);
      if (how === 'ReleaseTerminated' && begun) reached.count('hook ON_FAIL after a termination');
    } else if (well)
      rule.expect(status === 'SUCCEEDED', () => `${place}: the release has succeeded, and ${name} is ${status}`);
  }
}

/** A rollback because of a hook: only where a policy of the release names that cause, and a hook of that environment did fail. */
function takenBack({ rollbacks, releases }: History, reached: Reached): Rule {
  const rule = new Rule('a hook that fails takes nothing back, unless a policy says so');
  const failed = new Map<string, Set<'HOOK' | 'OTHER'>>();
  for (const { id, plan, events } of releases.values())
    for (const { event } of events) {
      if (event.type !== 'StepFailed') continue;
      const hook = isHook({ phase: event.phase as PlannedStep['phase'] });
      const key = `${id} ${event.environment}`;
      failed.set(key, (failed.get(key) ?? new Set()).add(hook ? 'HOOK' : 'OTHER'));
      if (hook && plan.promotions.some(({ name, own }) => name === event.environment && own === undefined))
        reached.count(`hook of an environment ${event.phase} failed`);
    }
  for (const { id, cause } of rollbacks) {
    const causes = failed.get(`${cause.release} ${cause.environment}`);
    if (cause.kind === 'FAILED' && causes)
      rule.expect(causes.has('OTHER'), () => `${id}: only a hook of ${cause.environment} has failed`);
    if (cause.kind !== 'HOOK') continue;
    reached.count('a hook failed, and it goes back');
    const named = releases
      .get(cause.release ?? '')
      ?.plan.rollbackPolicies?.some(({ when }) => when.causes?.includes('HOOK') === true);
    rule.expect(
      named === true && causes?.has('HOOK') === true,
      () => `${id}: ${cause.environment} goes back for a hook; named: ${named}; failed: ${[...(causes ?? [])].join()}`,
    );
  }
  return rule;
}

/** What is done in an environment is what its frozen settings say, and each setting is what its policy said in that revision. */
function policies({ releases, policies: known }: History, reached: Reached): Rule {
  const rule = new Rule('what is done in an environment is what its policies said when the release was created');
  for (const { id, plan, kind } of releases.values()) {
    if (kind !== 'FORWARD') continue;
    for (const { name, policy, steps, applications } of plan.promotions) {
      if (policy === undefined) continue;
      for (const setting of ['preActions', 'postActions'] as const) {
        const phase = setting === 'preActions' ? 'PRE_ACTION' : 'POST_ACTION';
        const chosen = policy[setting] ?? [];
        applications.forEach((_, at) => {
          const run = steps.flatMap(({ work, phase: of, application }) =>
            work.kind === 'action' && of === phase && application === at ? [work.workflow] : [],
          );
          const wanted = chosen.map(({ value }) => value);
          rule.expect(
            [...new Set(run)].join() === wanted.join(),
            () => `${id} ${name}: ${phase} is ${run.join(', ')}, and its settings say ${wanted.join(', ')}`,
          );
        });
        for (const { value, from } of chosen) {
          reached.count(`setting of ${from.by === 'POLICY' && from.locked ? 'a locked POLICY' : from.by}`);
          if (from.by !== 'POLICY') continue;
          const spec = known.get(`${from.policy} ${from.revision}`);
          const said = spec?.policy[setting === 'preActions' ? 'preAction' : 'postAction'];
          rule.expect(
            said === value && spec?.priority === from.priority,
            () => `${id} ${name}: ${value} by ${from.policy}, whose revision ${from.revision} says ${said}`,
          );
        }
      }
    }
  }
  return rule;
}

/** From this event on a version counts as found good in an environment: its hooks after that begin, or else it has succeeded. */
export function isProof(event: ReleaseEvent, { steps }: Pick<PlannedPromotion, 'steps'>): boolean {
  const after = steps.filter(({ phase }) => phase === 'ON_SUCCESS');
  if (after.length === 0) return event.type === 'PromotionSucceeded';
  const [first] = after;
  return event.type === 'StepStarted' && event.step === first?.id;
}

/** What a target was told: each value comes from the release that tells it, and an onFail knows what has failed. */
export function judgeCalls({ releases }: History, calls: readonly Call[], reached: Reached): Rule {
  const rule = new Rule('an action is given what hooks before it handed on, what steps left, and what has failed');
  for (const { key, body } of calls) {
    if (body === null) continue;
    const [id = '', , name = ''] = key.split('.');
    const { release, ticket, image, error, failed } = body;
    rule.expect(release === id, () => `${key} speaks of release ${release}`);
    if (ticket !== undefined) {
      rule.expect(ticket === ticketOf(id), () => `${key} has the ticket ${ticket}`);
      reached.count('context handed on');
    }
    if (image !== undefined) {
      rule.expect(image === imageOf(id), () => `${key} has the image ${image}`);
      reached.count('output of a step handed on');
    }
    if (failed === undefined) continue;
    const plan = releases.get(id)?.plan;
    const planned = plan?.promotions.find((each) => each.name === name);
    const about = planned?.of === undefined ? undefined : plan?.promotions[planned.of]?.name;
    const names = (JSON.parse(failed) as { Name: string }[]).map((each) => each.Name);
    rule.expect(
      error !== '' && (about === undefined || names.join() === about),
      () => `${key} is told that ${names.join(', ')} failed: ${error}`,
    );
  }
  return rule;
}
