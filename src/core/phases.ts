import type {
  ApplicationSpec,
  Hooks,
  PromotionWorkflowSpec,
  PullRequestPolicy,
  SyncSourceSpec,
} from './definitions.ts';
import { DEFAULT_RETRY, DEFAULT_SYNC_LIMIT } from './definitions.ts';
import type { OwnSteps, Phase, PlannedApplication, PlannedStep, StepWork } from './plan.ts';

/**
 * The phases of a promotion, as the planner walks them: from the first to the last, each after the one before. A phase of the promotion
 * itself comes after all of its applications are through what stands above it. How a new one comes is told in docs/how-to-add.md.
 */
const PHASES: readonly PhaseOfPlan[] = [
  { phase: 'ON_START', of: 'promotion', make: ({ hooks }) => workflow(hooks?.onStart) },
  { phase: 'PRE_ACTION', of: 'application', make: ({ preActions = [] }) => workflows(preActions) },
  {
    phase: 'ACTION',
    of: 'application',
    make: ({ apply, pullRequest }) => (apply && !pullRequest ? step({ kind: 'apply' }) : null),
  },
  { phase: 'ACTION', part: 'open', of: 'application', make: proposeStep },
  {
    phase: 'ACTION',
    part: 'merge',
    of: 'application',
    make: ({ pullRequest }) => (pullRequest ? step({ kind: 'merge' }, pullRequest.expiry) : null),
  },
  { phase: 'SYNC', of: 'application', make: ({ application }) => syncStep(application?.sync) },
  { phase: 'HEALTH', of: 'application', make: () => step({ kind: 'health' }) },
  { phase: 'SOAK', of: 'application', make: ({ soak }) => (soak > 0 ? step({ kind: 'soak', duration: soak }) : null) },
  { phase: 'POST_ACTION', of: 'application', make: ({ postActions = [] }) => workflows(postActions) },
  { phase: 'WORKFLOW', of: 'promotion', make: (from) => workflow(from.workflow) },
  { phase: 'ON_SUCCESS', of: 'promotion', make: ({ hooks }) => workflow(hooks?.onSuccess) },
];

/** What runs beside the promotions: hooks of the release, and of each promotion what is done about its failure. */
const OWN: readonly { own: OwnSteps; of: (hooks: Hooks) => string | undefined }[] = [
  { own: 'ON_START', of: ({ onStart }) => onStart },
  { own: 'ON_SUCCESS', of: ({ onSuccess }) => onSuccess },
  { own: 'ON_FAIL', of: ({ onFail }) => onFail },
];

interface PhaseOfPlan {
  phase: Phase;
  /** Tells one of several steps of a phase from the others. */
  part?: string;
  /** What has this phase: each application of a promotion, or the promotion itself. */
  of: 'application' | 'promotion';
  make: (from: Making) => Made;
}

/** What a flow says of a promotion, with the application where the phase is for one. */
export interface Making {
  /** Names of workflows, one after the other. */
  preActions?: readonly string[];
  postActions?: readonly string[];
  /** A change is to be made. */
  apply: boolean;
  /** By this pull request. */
  pullRequest?: PullRequestPolicy;
  /** Of the application in its promotion. */
  position?: number;
  /** In milliseconds; 0: none. */
  soak: number;
  workflow?: string;
  application?: ApplicationSpec;
  /** Of the promotion. */
  hooks?: Hooks;
}

/** By name. */
export type Workflows = ReadonlyMap<string, PromotionWorkflowSpec>;

/** One step, the actions of workflows as a step each, or nothing. */
type Made = Pick<PlannedStep, 'work' | 'patience'> | { workflows: readonly string[] } | null;

const step = (work: StepWork, patience?: number): Made => ({ work, ...(patience !== undefined && { patience }) });
const workflows = (names: readonly string[]): Made => ({ workflows: names });
const workflow = (name: string | undefined): Made => (name === undefined ? null : workflows([name]));

function proposeStep({ pullRequest, position }: Making): Made {
  return pullRequest && position !== undefined ? step({ kind: 'propose', applications: [position] }) : null;
}

/** Where no source can be asked there is no such step. */
function syncStep(source: SyncSourceSpec | undefined): Made {
  return isAsked(source) ? step({ kind: 'sync' }, source.limit ?? DEFAULT_SYNC_LIMIT) : null;
}

/** Whether a source can be asked. */
export function isAsked(source: SyncSourceSpec | undefined): source is Exclude<SyncSourceSpec, { type: 'none' }> {
  return source !== undefined && source.type !== 'none';
}

/** The steps of a promotion, in all of its phases. */
export function stepsOf(applications: readonly PlannedApplication[], from: Making, known: Workflows): PlannedStep[] {
  const steps: PlannedStep[] = [];
  let after: number[] = [];
  for (let at = 0; at < PHASES.length;) {
    const { of } = PHASES[at] as PhaseOfPlan;
    const others = PHASES.findIndex((each, index) => index > at && each.of !== of);
    const run = PHASES.slice(at, others < 0 ? PHASES.length : others);
    const before = after;
    if (of === 'promotion') after = addPhases(steps, run, null, from, before, known);
    else {
      const ends = applications.map(({ name, spec }, position) =>
        addPhases(steps, run, { name, position }, { ...from, application: spec, position }, before, known),
      );
      if (ends.length > 0) after = [...new Set(ends.flat())];
    }
    at += run.length;
  }
  return steps;
}

/** Adds the steps of these phases, of an application (with its name and position) or of the promotion (null); answers the last ones. */
function addPhases(
  steps: PlannedStep[],
  phases: readonly PhaseOfPlan[],
  at: { name: string; position: number } | null,
  from: Making,
  before: number[],
  known: Workflows,
): number[] {
  let after = before;
  for (const { phase, part, make } of phases) {
    const made = make(from);
    if (made === null) continue;
    const id = [...(at === null ? [] : [at.name]), phase, ...(part === undefined ? [] : [part])].join('/');
    const common = { id, phase, application: at?.position ?? null };
    if ('workflows' in made) after = addWorkflows(steps, common, made.workflows, after, known);
    else {
      steps.push({ ...common, ...made, needs: after, timeout: null, retry: DEFAULT_RETRY });
      after = [steps.length - 1];
    }
  }
  return after;
}

/** What runs beside the promotions, by phase; what has no action is left out. */
export function ownSteps(hooks: Hooks, known: Workflows): { own: OwnSteps; steps: PlannedStep[] }[] {
  return OWN.flatMap(({ own, of }) => {
    const name = of(hooks);
    if (name === undefined) return [];
    const steps: PlannedStep[] = [];
    addWorkflows(steps, { id: own, phase: own, application: null }, [name], [], known);
    return steps.length === 0 ? [] : [{ own, steps }];
  });
}

/** One workflow after the other; the names of the steps of all but the first have its name in them. */
function addWorkflows(
  steps: PlannedStep[],
  step: Pick<PlannedStep, 'id' | 'phase' | 'application'>,
  names: readonly string[],
  after: number[],
  known: Workflows,
): number[] {
  return names.reduce(
    (before, name, index) =>
      addWorkflow(steps, index === 0 ? step : { ...step, id: `${step.id}/${name}` }, name, before, known),
    after,
  );
}

/** The actions of a workflow after `after`; answers the positions of those that no other of them depends on. */
function addWorkflow(
  steps: PlannedStep[],
  step: Pick<PlannedStep, 'id' | 'phase' | 'application'>,
  name: string,
  after: number[],
  known: Workflows,
): number[] {
  const actions = known.get(name)?.actions ?? [];
  const position = new Map(actions.map((action, index) => [action.name, steps.length + index]));
  const awaited = new Set<number>();
  for (const action of actions) {
    const inner = (action.dependsOn ?? []).map((each) => position.get(each) as number);
    for (const each of inner) awaited.add(each);
    steps.push({
      ...step,
      id: `${step.id}/${action.name}`,
      work: { kind: 'action', workflow: name, action },
      needs: inner.length > 0 ? inner : after,
      timeout: action.timeout ?? null,
      retry: action.retry ?? DEFAULT_RETRY,
    });
  }
  const ends = [...position.values()].filter((each) => !awaited.has(each));
  return ends.length > 0 ? ends : after;
}

/**
 * One pull request for all applications that share a repository and a branch: the first of them opens it, when all of them are ready,
 * and each waits for its own change to be on the branch.
 */
export function shareProposals(
  steps: readonly PlannedStep[],
  applications: readonly PlannedApplication[],
): PlannedStep[] {
  const first = new Map<string, number>();
  const sharing = steps.map(({ work, application }, index) => {
    const driver = work.kind === 'propose' && application !== null ? applications[application]?.spec.driver : undefined;
    if (driver?.type !== 'git') return index;
    const place = JSON.stringify([driver.repoURL, driver.branch]);
    if (!first.has(place)) first.set(place, index);
    return first.get(place) as number;
  });
  const kept = [...steps.keys()].filter((index) => sharing[index] === index);
  const positions = new Map(kept.map((index, position) => [index, position]));
  return kept.map((index) => {
    const { work, ...step } = steps[index] as PlannedStep;
    const all = steps.filter((_, each) => sharing[each] === index);
    const awaited = all.flatMap((each) => each.needs).map((each) => positions.get(sharing[each] as number) as number);
    const together = all.flatMap((each) => (each.work.kind === 'propose' ? each.work.applications : []));
    return {
      ...step,
      work: work.kind === 'propose' ? { ...work, applications: together } : work,
      needs: [...new Set(awaited)],
    };
  });
}
