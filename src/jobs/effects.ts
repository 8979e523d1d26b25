import type { ReleaseNow } from '../commands/release-engine.ts';
import { tellCommit } from '../commands/tell-commit.ts';
import { tellMerge } from '../commands/judge-merge.ts';
import { rollbackId, startRollback } from '../commands/start-rollback.ts';
import type { RollbackCauseKind } from '../core/definitions.ts';
import { effectOf } from '../core/effects.ts';
import type { KindIn, Work, WorkKind } from '../core/effects.ts';
import type { Stimulus } from '../core/release.ts';
import type { Parts } from '../parts.ts';
import { beginObservation } from '../store/observations.ts';
import type { OutboxItem } from '../store/outbox.ts';
import type { Aborts } from './aborts.ts';
import { runErrand } from './errands.ts';
import type { ErrandRunners } from './errands.ts';
import { askId, joinId, namedJob, promoteId, stepId } from './job-data.ts';
import type { JobData, JobName } from './job-data.ts';

/** A job of the queue, and the jobs that it waits for. */
export interface Job {
  id: string;
  name: JobName;
  data: JobData;
  children?: Job[];
}

/** What should be in the queue, as the state of a release says. */
export interface UnderWay {
  jobId: string;
  /** The jobs that it may be waiting for. */
  siblings: string[];
  /** Asks for the job anew, where the queue has never heard of it. Null: another job carries it, and only that one is gone. */
  work: Work<KindIn<'queue'>> | null;
  /** Tells the release that the job is over without an outcome. */
  lost: Stimulus;
}

/** How work of the lane `queue` becomes jobs, and which of them must be there. */
export interface Queued<K extends WorkKind> {
  jobs(item: OutboxItem<K>): Job[];
  underWay(to: ReleaseNow): UnderWay[];
}

/** What an effect is done with. */
export interface EffectParts extends Parts {
  aborts: Aborts;
  errands: ErrandRunners;
}

/** How work of any other lane is done. It may be asked for twice, and must be the same as once. */
export interface Done<K extends WorkKind> {
  run(parts: EffectParts, item: OutboxItem<K>): Promise<void>;
}

type Doing = { readonly [K in WorkKind]: K extends KindIn<'queue'> ? Queued<K> : Done<K> };

/** How each kind of work that `core/effects.ts` describes is done. */
export const DOING: Doing = {
  dispatch: {
    jobs({ key, releaseId, work: { promotions, join } }) {
      const children = promotions.map((each): Job => {
        const data = { releaseId, ...each };
        return { id: promoteId(data), name: 'promote', data };
      });
      return join ? [{ id: joinId(key), name: 'join', data: { releaseId }, children }] : children;
    },
    underWay({ release, state }) {
      return [...state.promotions.entries()].flatMap(([promotion, { attempt, steps }]) => {
        const running = steps.filter((each) => each.status === 'RUNNING');
        const carriers = new Map(running.map((each) => [each.dispatch, each.carrier ?? null]));
        return [...carriers].map(([dispatch, carrier]): UnderWay => {
          const data = { releaseId: release.id, promotion, attempt, dispatch };
          const join = release.plan.promotions[promotion]?.group != null;
          const promotions = [{ promotion, attempt, dispatch, ...(join && { joined: true }) }];
          return {
            jobId: carrier === null ? promoteId(data) : namedJob(release.id, carrier),
            // A sibling is named after the step that it began with, and may be steps further by now.
            siblings: steps.map((_, step) => stepId(data, step)),
            work: carrier === null ? { kind: 'dispatch', promotions, join } : null,
            lost: { kind: 'lost-dispatch', promotion, dispatch },
          };
        });
      });
    },
  },
  'ask-group': {
    jobs({ releaseId, work: { group, generation } }) {
      const data = { releaseId, group, generation };
      return [{ id: askId(data), name: 'ask', data }];
    },
    underWay({ release, state }) {
      return [...state.groups.entries()]
        .filter(([, { status }]) => status === 'ASKING')
        .map(([group, { generation, carrier = null }]) => ({
          jobId: carrier === null ? askId({ releaseId: release.id, group, generation }) : namedJob(release.id, carrier),
          siblings: [],
          work: carrier === null ? { kind: 'ask-group', group, generation } : null,
          lost: { kind: 'lost-question', group, generation },
        }));
    },
  },
  'roll-back': {
    async run(parts, { key, releaseId, work: { promotion, attempt, reason, at, cause } }) {
      const kind: RollbackCauseKind = cause ?? 'FAILED';
      const { product, version, digest, name } = await placeOf(parts, releaseId, promotion);
      await startRollback(parts, {
        id: rollbackId(kind, releaseId, promotion, attempt),
        product,
        cause: { kind, environment: name, reason, at, by: null, release: releaseId },
        definite: true,
        version: { digest, label: version },
        asked: null,
        outboxKey: key,
      });
    },
  },
  observe: {
    async run(parts, { key, releaseId, work: { promotion: position, attempt, until } }) {
      const { product, name: environment } = await placeOf(parts, releaseId, position);
      await beginObservation(parts.pool, { releaseId, position, attempt, product, environment, until }, key);
    },
  },
  'tell-merge': {
    async run(parts, { key, releaseId, work }) {
      await tellMerge(parts, releaseId, work.promotion, key);
    },
  },
  'tell-commit': { run: (parts, { key, releaseId }) => tellCommit(parts, releaseId, key) },
  abort: {
    /** Here at once, elsewhere by a notice; `lookForStops` finds the work of a process that missed it. */
    async run({ aborts, pool }, { releaseId, work: { promotions } }) {
      for (const promotion of promotions) aborts.abort(releaseId, 'stop', promotion);
      const notices: string[] = [];
      for (let from = 0; from < promotions.length; from += PER_NOTICE)
        notices.push(JSON.stringify({ releaseId, promotions: promotions.slice(from, from + PER_NOTICE) }));
      await pool.query(`SELECT pg_notify('sluice_abort', notice) FROM unnest($1::text[]) AS notice`, [notices]);
    },
  },
  errand: { run: (parts, item) => runErrand(parts, item) },
};

/** PostgreSQL takes 8,000 bytes in one. */
const PER_NOTICE = 100;

/** The jobs that do it. @throws for work of another lane */
export function jobsOf(item: OutboxItem): Job[] {
  const doing = doingOf(item);
  if (!('jobs' in doing)) throw new Error(`work of kind "${item.work.kind}" is not done by the queue`);
  return doing.jobs(item);
}

/** Does it. @throws for work of the queue */
export async function runEffect(parts: EffectParts, item: OutboxItem): Promise<void> {
  const doing = doingOf(item);
  if (!('run' in doing)) throw new Error(`work of kind "${item.work.kind}" is done by the queue`);
  await doing.run(parts, item);
}

/** Every job that should be in the queue for a release that has not ended. */
export function underWay(to: ReleaseNow): UnderWay[] {
  return Object.values(DOING).flatMap((each) => ('underWay' in each ? each.underWay(to) : []));
}

function doingOf({ work }: OutboxItem): Queued<WorkKind> | Done<WorkKind> {
  if (effectOf(work) === undefined) throw new Error(`this version of Sluice knows no work of kind "${work.kind}"`);
  return DOING[work.kind];
}

/** Where in which release a promotion is. */
async function placeOf(
  { releaseEngine }: Parts,
  releaseId: string,
  promotion: number,
): Promise<{ product: string; version: string; digest: string; name: string }> {
  const to = await releaseEngine.look(releaseId, { fresh: false });
  if (!to) throw new Error(`there is no release ${releaseId}`);
  const { product, plan, version, digest } = to.release;
  const planned = plan.promotions[promotion];
  if (!planned) throw new Error(`release ${releaseId} has no promotion ${promotion}`);
  return { product, version, digest, name: planned.name };
}
