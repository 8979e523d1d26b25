import { GUARDED, GUARDED_FLOW, GUARDED_GROUP } from '../guarded.ts';
import type { Barrier, Keeper } from '../keeper.ts';
import type { Call } from '../target.ts';
import type { WaitingReader } from '../waiting-reader.ts';
import type { History, Invariant, ReleaseHistory } from './history.ts';
import { Rule } from './history.ts';

/** Promises 2, 3, 4 and 6, where people put things in the way and edit what is on its way. */
export function judgeGuards(
  history: History,
  { keeper, calls, reader }: { keeper: Keeper; calls: readonly Call[]; reader: WaitingReader },
): Invariant[] {
  const guarded = [...history.releases.values()].filter((each) => each.product === GUARDED && each.kind === 'FORWARD');
  return [
    barriers('window', 'nothing starts inside a closed window', guarded, keeper.barriers),
    barriers('hold', 'nothing starts in an environment on hold', guarded, keeper.barriers),
    barriers('mark', 'a version that is marked bad starts nowhere that the mark is about', guarded, keeper.barriers),
    approved([...history.releases.values()]),
    limited(guarded),
    frozen(history, guarded),
    performed(history, calls),
    rows(history, keeper),
    answered(keeper),
    explained(reader),
  ];
}

function barriers(kind: Barrier['kind'], name: string, releases: ReleaseHistory[], all: readonly Barrier[]): Rule {
  const rule = new Rule(name);
  const own = all.filter((each) => each.kind === kind);
  rule.checked = own.length;
  for (const { id, version, events } of releases) {
    for (const { event, at, sequence } of events) {
      if (event.type !== 'PromotionStarted') continue;
      const broken = own.find(
        (each) =>
          each.environment === event.environment &&
          (each.version === undefined || each.version === version) &&
          at >= each.from &&
          at < each.to,
      );
      const time = (instant: number): string => new Date(instant).toISOString();
      rule.expect(
        broken === undefined,
        () =>
          `${id}: ${event.environment} started at ${time(at)} (event ${sequence}); the ${kind} was there from ${time(broken?.from ?? 0)} to ${time(broken?.to ?? 0)}`,
      );
    }
  }
  return rule;
}

/** Within the attempt: another one asks anew. What rollbacks propose asks, too. */
function approved(releases: ReleaseHistory[]): Rule {
  const rule = new Rule('nothing starts without its approvals');
  for (const { id, plan, events } of releases) {
    const given = new Map<string, number>();
    for (const { event, sequence } of events) {
      if (!('environment' in event) || !('attempt' in event)) continue;
      const place = `${event.environment} ${event.attempt}`;
      if (event.type === 'ApprovalGiven') given.set(place, (given.get(place) ?? 0) + 1);
      if (event.type !== 'PromotionStarted') continue;
      const planned = plan.promotions.find((each) => each.name === event.environment);
      if (!planned?.approval) continue;
      const needed = planned.approval.rules.reduce((sum, each) => sum + each.count, 0);
      rule.expect(
        (given.get(place) ?? 0) >= needed,
        () =>
          `${id}: ${event.environment} started at event ${sequence} with ${given.get(place) ?? 0} of ${needed} approvals`,
      );
    }
  }
  return rule;
}

function limited(releases: ReleaseHistory[]): Rule {
  const rule = new Rule('no more members of a group run than it says, and none starts after too many failed');
  for (const { id, plan, events } of releases) {
    const group = plan.groups.find((each) => each.name === GUARDED_GROUP);
    if (!group) continue;
    const members = new Set(group.members.map((each) => plan.promotions[each]?.name));
    const running = new Set<string>();
    let failed = 0;
    for (const { event, sequence } of events) {
      // A retry begins the count anew for what had failed.
      if (event.type === 'ReleaseRetried') failed = 0;
      if (!('environment' in event) || !members.has(event.environment)) continue;
      if (event.type === 'PromotionStarted') {
        running.add(event.environment);
        rule.expect(
          running.size <= group.maxParallel && failed <= group.maxFailures,
          () =>
            `${id}: ${event.environment} started at event ${sequence} beside ${running.size - 1}, after ${failed} failed`,
        );
      } else if (/^Promotion(Succeeded|Failed|Terminated|Skipped)$/.test(event.type)) {
        running.delete(event.environment);
        if (event.type === 'PromotionFailed') failed += 1;
      }
    }
  }
  return rule;
}

/** The environments of a release are those of the revision of the flow that it names, whatever was saved since. */
function frozen(history: History, releases: ReleaseHistory[]): Rule {
  const rule = new Rule('a release travels the revision of its flow that it froze');
  for (const { id, plan } of releases) {
    const spec = history.flows.get(`${GUARDED_FLOW} ${plan.flow.revision}`);
    const group = plan.groups.find((each) => each.name === GUARDED_GROUP);
    const named = [
      spec?.triggerEnvironment,
      ...(spec?.steps ?? []).flatMap((each) =>
        each.group === undefined ? [each.environment] : (group?.members ?? []).map((at) => plan.promotions[at]?.name),
      ),
    ];
    const names = named.map((each) => each ?? 'nothing').sort((a, b) => (a < b ? -1 : 1));
    const planned = plan.promotions.map((each) => each.name).sort((a, b) => (a < b ? -1 : 1));
    rule.expect(
      names.join() === planned.join(),
      () => `${id} promotes ${planned.join(', ')}; revision ${plan.flow.revision} of its flow says ${names.join(', ')}`,
    );
  }
  return rule;
}

/** As the target saw it: by the release, the attempt and the step in each key, and by what the frozen action said of itself. */
function performed({ releases }: History, calls: readonly Call[]): Rule {
  const rule = new Rule(
    'an http action is performed as it was frozen, by a step that had begun, and before it counts as done',
  );
  const done = new Map<string, number>();
  for (const { key, at, shape, answered } of calls) {
    const [releaseId = '', attempt = '', environment = '', ...rest] = key.split('.');
    const step = rest.join('.');
    const release = releases.get(releaseId);
    const planned = release?.plan.promotions
      .find((each) => each.name === environment)
      ?.steps.find((each) => each.id === step);
    const frozenShape =
      planned?.work.kind === 'action' ? headersOf(planned.work.action.parameters)['x-shape'] : undefined;
    const began = release?.events.find(
      ({ event }) =>
        event.type === 'StepStarted' &&
        event.environment === environment &&
        event.step === step &&
        String(event.attempt) === attempt,
    );
    rule.expect(
      frozenShape === shape && began !== undefined && at >= began.at - SLACK,
      () => `${key}: called as ${shape} at ${at}, frozen as ${frozenShape}, begun at ${began?.at}`,
    );
    if (answered && !done.has(key)) done.set(key, at);
  }
  for (const { id, plan, events } of releases.values()) {
    for (const { event, at } of events) {
      if (event.type !== 'StepSucceeded') continue;
      const { environment, step } = event;
      const work = plan.promotions
        .find(({ name }) => name === environment)
        ?.steps.find((each) => each.id === step)?.work;
      if (work?.kind !== 'action' || work.action.type !== 'http') continue;
      const key = `${id}.${event.attempt}.${event.environment}.${event.step}`;
      rule.expect(
        (done.get(key) ?? Infinity) <= at + SLACK,
        () => `${key} succeeded, and the target knows nothing of it`,
      );
    }
  }
  return rule;
}

/** The clocks of two processes of one machine, and an answer that is under way, in milliseconds. */
const SLACK = 200;

const headersOf = (parameters: unknown): Record<string, string> =>
  (parameters as { headers?: Record<string, string> }).headers ?? {};

/** What was answered has its row, and it ended when it was said to. */
function rows({ holds, marks }: History, { barriers: all }: Keeper): Rule {
  const rule = new Rule('each hold and each mark that was answered is in its table, once, and ended');
  const found = new Map([...holds, ...marks].map((each) => [each.id, each]));
  for (const { kind, id, from, to } of all) {
    if (id === undefined) continue;
    const row = found.get(id);
    rule.expect(
      row !== undefined && row.since <= from + SLACK && row.ended !== null && row.ended >= to - SLACK,
      () => `${kind} ${id}: the table says ${JSON.stringify(row ?? null)}`,
    );
  }
  return rule;
}

function answered({ barriers: all, edited, refusals }: Keeper): Rule {
  const rule = new Rule('what people put in the way, and edit, is accepted');
  rule.checked = all.length + edited;
  rule.violations.push(...refusals);
  return rule;
}

function explained({ seen, silent }: WaitingReader): Rule {
  const rule = new Rule('what waits says for what');
  rule.checked = seen;
  rule.violations.push(...silent);
  return rule;
}
