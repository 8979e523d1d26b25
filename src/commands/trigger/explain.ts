import type { Definition } from '../../core/definitions.ts';
import { arrive } from '../../core/trigger/arrive.ts';
import { judgeFlows, selectFlow } from '../../core/trigger/select-flow.ts';
import type { FlowJudgement, TriggerCommit } from '../../core/trigger/select-flow.ts';
import { refusal, RefusedError } from '../../core/problems.ts';
import type { Parts } from '../../parts.ts';
import { activePauses } from '../../store/triggers.ts';
import { refusable } from '../result.ts';
import type { Result } from '../result.ts';
import { byPlace, judge, outcomeOf, sourcesIn } from './heads-seen.ts';
import type { HeadOutcome } from './heads-seen.ts';
import { refsOf } from './make-candidate.ts';

/** A push that may have happened: which applications it would concern, and what would come of it. */
export interface TriggerQuestion {
  repository: string;
  /** `refs/heads/…`, `refs/tags/…` or a bare branch; every branch of a trigger application when left out. */
  ref?: string;
  /** Any commit of that branch; its head when left out. */
  commit?: string;
}

/** What would come of it. */
export interface TriggerExplanation {
  /** Why nothing here looks at it at all; null: applications do. */
  nothing: string | null;
  applications: HeadOutcome[];
}

/**
 * What a look at this repository now leads to, application by application. Nothing is written. Network. `isSeen`: only of these
 * applications is told; where there is none of them nothing is asked.
 */
export async function explainTrigger(
  app: Parts,
  { repository, ref, commit }: TriggerQuestion,
  isSeen: (product: string, environment: string) => Promise<boolean> = () => Promise.resolve(true),
): Promise<TriggerExplanation> {
  const nothing = (why: string): TriggerExplanation => ({ nothing: why, applications: [] });
  const definitions = await app.definitions.current();
  const known = sourcesIn(definitions, repository);
  const sees = await Promise.all(known.map((each) => isSeen(each.product, each.environment)));
  const all = known.filter((_, index) => sees[index]);
  if (all.length === 0) return nothing('no application that triggers releases is in this repository');
  if (ref?.startsWith('refs/') && !ref.startsWith('refs/heads/'))
    return nothing(`${ref} is no branch: only branches of applications trigger releases`);
  const branch = ref?.replace(/^refs\/heads\//, '');
  const sources = all.filter(({ driver }) => branch === undefined || driver.branch === branch);
  if (sources.length === 0) return nothing(`no application that triggers releases is on branch "${branch}" there`);
  const heads = new Map(commit === undefined ? [] : sources.map(({ driver }) => [driver.branch, commit]));
  const { looked, failed } = await judge(app, definitions, sources, heads);
  const moved = looked.filter(({ verdict }) => verdict.next !== null);
  const { changed, quiet } = byPlace(moved);
  const still = looked.filter(({ verdict }) => verdict.next === null);
  const applications = [...still, ...quiet].map((each) => outcomeOf(each));
  for (const { source, error } of failed) {
    const { application, product, environment } = source;
    applications.push({ application, product, environment, outcome: error });
  }
  for (const here of changed) {
    const { product: name, environment } = here[0]!.source;
    const product = definitions.products.get(name)!;
    const those = here.filter(({ verdict }) => verdict.kind === 'CHANGED');
    const arrived = arrive({
      product,
      flows: definitions.flows,
      environment,
      changed: those.map(({ source, verdict }) => ({
        application: source.application,
        branch: source.driver.branch,
        verdict,
      })),
      refs: await refsOf(app, product, those),
    });
    const [pause] = await activePauses(app.pool, app.clock.now(), name);
    const waits = pause ? `, which waits: automatic triggers are paused, ${pause.reason}` : '';
    const outcome = arrived.kind === 'NOTHING' ? arrived.why : `a candidate of flow "${arrived.flow}"${waits}`;
    applications.push(...here.map((each) => outcomeOf(each, { outcome })));
  }
  return { nothing: null, applications };
}

/** What is known of a commit. */
export interface FlowQuestion {
  product: string;
  /** Every environment that triggers a flow when left out. */
  environment?: string;
  message?: string;
  /** The commit, its branches and its tags. */
  revisions?: string[];
  /** A flow that is not saved: it stands for the saved one of its name, or is one more. */
  draft?: Definition<'PromotionFlow'>;
}

/** For each environment that triggers a flow the flow that would be taken (null: none), and why each other one would not. */
export interface FlowExplanation {
  environment: string;
  flow: string | null;
  explanation: string[];
  /** Every flow, by name. */
  flows: FlowJudgement[];
}

/** Which flow a change would travel. Nothing is asked of git: what is not said is not known. */
export function explainFlowSelection(
  app: Parts,
  { product: name, environment, message, revisions, draft }: FlowQuestion,
): Promise<Result<FlowExplanation[]>> {
  return refusable(async () => {
    const { products, flows: saved } = await app.definitions.current();
    const product = products.get(name);
    if (!product) throw new RefusedError([refusal('NOT_FOUND', `there is no product "${name}"`, ['product'])]);
    const others = draft ? saved.filter(({ metadata }) => metadata.name !== draft.metadata.name) : saved;
    const flows: Pick<Definition<'PromotionFlow'>, 'metadata' | 'spec'>[] = draft ? [...others, draft] : others;
    const all = [...new Set(flows.map(({ spec }) => spec.triggerEnvironment))].sort();
    const asked = environment === undefined ? all : [environment];
    const commit: TriggerCommit = { message, revisions };
    return asked.map((each) => {
      const { flow, explanation, refusal: refused } = selectFlow(product, each, commit, flows);
      const told = refused && refused.code !== 'NO_FLOW' ? [...explanation, refused.message] : explanation;
      const judged = judgeFlows(product, each, commit, flows).sort((one, other) => (one.flow < other.flow ? -1 : 1));
      return { environment: each, flow: flow?.metadata.name ?? null, explanation: told, flows: judged };
    });
  });
}
