import type { Clock } from '../../../src/clock.ts';
import type { WorkflowAction } from '../../../src/core/definitions.ts';
import { ACTIONS } from '../../../src/core/kinds/actions.ts';
import type { Progress } from '../../../src/core/release.ts';
import type { ActionAnswer, ActionLook } from '../../../src/drivers/actions/answer.ts';
import { lookAtApproval } from '../../../src/drivers/actions/approval.ts';
import { readParameters } from '../../../src/drivers/actions/parameters.ts';
import { lookAtWait } from '../../../src/drivers/actions/wait.ts';
import { sha256 } from '../../../src/drivers/content.ts';
import type { Driver, Effect, EffectContext } from '../../../src/drivers/driver.ts';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import { checkHealth } from '../../../src/drivers/health/index.ts';
import { checkSync } from '../../../src/drivers/sync/index.ts';
import type { Drivers } from '../../../src/drivers/index.ts';
import { MINUTE, SECOND } from '../../core/support/builders.ts';
import type { Reached } from '../../core/support/reached.ts';
import { BLIND } from './git-host.ts';
import type { GitHost } from './git-host.ts';
import type { Mortal } from './scheduler.ts';

/** What an effect does, drawn once for each key. */
export interface Turn {
  /** Milliseconds of the world. */
  takes: number;
  ends: 'well' | 'FAILED' | 'TRANSIENT' | 'THROWS';
}

type Draw = (key: string, context: EffectContext) => Turn;
type Told = (action: WorkflowAction, parameters: Record<string, string>, context: EffectContext) => void;

/** A workflow that an action began. It goes on whether or not anybody looks, until it ends by itself or is stopped. */
export interface Workflow {
  releaseId: string;
  /** Of its promotion. */
  environment: string;
  /** When it ends by itself, in milliseconds of the world. */
  until: number;
  ends: Turn['ends'] | 'stopped';
  goesOn: boolean;
}

export interface Running {
  key: string;
  releaseId: string;
  environment: string;
  process: Mortal;
}

/** All targets of the world. Each knows the keys of its effects, whichever process asks, as a git branch does. */
export class Targets {
  readonly #draw: Draw;
  readonly #told: Told;
  readonly #reached: Reached;
  readonly #host: GitHost;
  readonly done = new Map<string, Effect>();
  readonly running = new Set<Running>();
  /** By the key of their action and their number, as an Argo server has them by name. */
  readonly workflows = new Map<string, Workflow>();
  /** Application → what is there. */
  readonly live = new Map<string, string>();
  /** Application → the label of the version that it runs. */
  readonly versions = new Map<string, string>();

  /** `told`: hears what each action is given. `host`: where trigger environments are that stand in git. */
  constructor(draw: Draw, told: Told, reached: Reached, host: GitHost) {
    this.#host = host;
    this.#draw = draw;
    this.#told = told;
    this.#reached = reached;
  }

  /** The hands of one process. */
  driversOf(process: Mortal, clock: Clock): Drivers {
    const effect = async (context: EffectContext, take: () => void): Promise<Effect> => {
      const { key, releaseId, signal, tries } = context;
      // Of a hook the promotion is not the environment that it is about.
      const [, , environment = ''] = key.split('.');
      signal.throwIfAborted();
      const before = this.done.get(key);
      if (before) {
        this.#reached.count('effect asked for again');
        return before;
      }
      const turn = this.#draw(`${key} ${tries}`, context);
      const running = { key, releaseId, environment, process };
      this.running.add(running);
      try {
        if (turn.takes > 0) await clock.sleep('effect', turn.takes, signal);
      } finally {
        this.running.delete(running);
      }
      // Two carry the job: the target has taken it from the other one meanwhile.
      const meanwhile = this.done.get(key);
      if (meanwhile) return meanwhile;
      if (turn.ends === 'FAILED') throw new PermanentError('the target refuses it');
      if (turn.ends === 'TRANSIENT') throw new TransientError('the target does not answer');
      if (turn.ends === 'THROWS') throw new Error('the driver broke');
      take();
      this.done.set(key, { changed: true });
      this.#reached.count('effect');
      return { changed: true };
    };
    const driver: Driver = {
      revision: () => Promise.resolve({}),
      heads: () => Promise.resolve(undefined),
      moved: () => Promise.resolve(undefined),
      refs: () => Promise.resolve({ branches: [], tags: [] }),
      pin: async (_source, _template, { version = '' }, signal) => {
        signal.throwIfAborted();
        return { label: version, digest: sha256(version), files: { version: { kind: 'whole', text: version } } };
      },
      apply: (_target, content, context) =>
        effect(context, () => {
          this.live.set(context.application, content.digest);
          this.versions.set(context.application, content.label);
        }),
      observe: async (_target, key) => this.done.get(key),
      propose: () => Promise.reject(new PermanentError('a target of the ring has no branches')),
      proposeFiles: () => Promise.reject(new PermanentError('a target of the ring has no branches')),
      landed: () => Promise.reject(new PermanentError('a target of the ring has no branches')),
      ...BLIND,
    };
    const [git, forge] = [this.#host.driverOf(clock), this.#host.forgeOf(clock)];
    return {
      close: () => driver.close(),
      driver: ({ type }) => (type === 'git' ? git : driver) as never,
      checkHealth: (source, context) => checkHealth(source, context, undefined as never, undefined as never),
      checkSync: (source, context) => checkSync(source, context, undefined as never, undefined as never),
      publicPartOf: () => Promise.resolve('ssh-ed25519 AAAA'),
      forge: () => Promise.resolve(forge),
      runAction: async (action, parameters, context, look, log) => {
        this.#told(action, parameters, context);
        if (action.type === 'wait') return lookAtWait(readParameters(ACTIONS.wait, action.parameters), look, log);
        if (action.type === 'approval') {
          this.#reached.count(look.agreedBy ? 'a step went on with the approval of people' : 'a step asks people');
          return lookAtApproval(readParameters(ACTIONS.approval, action.parameters), look, log);
        }
        if (action.type === 'argoWorkflow') return this.#follow(context, look, clock);
        await effect(context, () => undefined);
        const { outputs = {} } = action.parameters as { outputs?: Record<string, string> };
        const filled = Object.entries(outputs).map(([name, text]) => [
          name,
          text.replace('${RELEASE_ID}', parameters['RELEASE_ID'] ?? ''),
        ]);
        return { kind: 'succeeded', outputs: Object.fromEntries(filled) as Record<string, string> };
      },
      endAction: async (_action, _parameters, context, { progress, since, now }) => {
        const { key } = context;
        if (this.#draw(nameOf(key, progress), context).ends !== 'well') {
          this.#reached.count('an errand fails');
          throw new TransientError('the server does not answer');
        }
        const found = this.workflows.get(nameOf(key, progress));
        const how = found === undefined ? 'none' : found.goesOn ? 'one that goes on' : 'one that is over';
        this.#reached.count(`errand finds ${how}`);
        if (found?.goesOn && progress === null) this.#reached.count('errand finds what no look has recorded');
        if (found) stop(found);
        else if (progress === null && now - since <= MINUTE) throw new TransientError('it may be on its way');
      },
    };
  }

  /** As an action deals with a workflow of Argo: under one name it is submitted once, whichever worker asks, and then followed to its end. */
  async #follow(context: EffectContext, { progress, now }: ActionLook, clock: Clock): Promise<ActionAnswer> {
    const { key, releaseId, signal } = context;
    const run = runOf(progress);
    const name = nameOf(key, progress);
    const [, , environment = ''] = key.split('.');
    const goesOn = {
      kind: 'pending',
      reason: 'the workflow runs',
      recheckAfter: 5 * SECOND,
      progress: { run },
    } as const;
    signal.throwIfAborted();
    const known = this.workflows.get(name);
    if (known === undefined) {
      if (context.stillMine && !(await context.stillMine()))
        throw new TransientError('it is not this run that does it');
      const { takes, ends } = this.#draw(name, context);
      await clock.sleep('effect', takes > MINUTE ? 8 * SECOND : SECOND, signal);
      if (this.workflows.has(name)) return goesOn;
      const workflow: Workflow = { releaseId, environment, until: now + takes, ends, goesOn: true };
      this.workflows.set(name, workflow);
      this.#reached.count('a workflow is begun');
      // The errand that stops it may have looked before it was there.
      if (!(await context.givenUp?.())) return goesOn;
      this.#reached.count('a workflow is begun too late');
      stop(workflow);
      throw new TransientError('it was given up while it was submitted');
    }
    if (known.goesOn && now < known.until) return goesOn;
    const { ends } = known;
    if (known.goesOn) this.#reached.count(`a workflow ends: ${ends}`);
    known.goesOn = false;
    if (ends === 'well') return { kind: 'succeeded', outputs: { WORKFLOW: name } };
    if (ends === 'TRANSIENT' && context.tries < 2)
      return { kind: 'transient', message: 'the workflow ended as Error', progress: { run: run + 1 } };
    return { kind: 'failed', message: `the workflow ended as ${ends}`, over: true };
  }

  /** The process is gone: what it was doing did not happen. */
  bury(process: Mortal): void {
    for (const each of this.running) if (each.process === process) this.running.delete(each);
  }
}

/** One that is over stays as it is. */
function stop(workflow: Workflow): void {
  if (workflow.goesOn) Object.assign(workflow, { goesOn: false, ends: 'stopped' });
}

/** Which workflow of its attempt an action follows, as its looks keep it. */
const runOf = (progress: Progress | null): number => (typeof progress?.['run'] === 'number' ? progress['run'] : 1);
const nameOf = (key: string, progress: Progress | null): string => `${key}/${runOf(progress)}`;
