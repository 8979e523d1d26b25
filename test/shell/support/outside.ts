import type { Clock } from '../../../src/clock.ts';
import type { WorkflowAction } from '../../../src/core/definitions.ts';
import { sha256 } from '../../../src/drivers/content.ts';
import type { Driver, Effect, EffectContext } from '../../../src/drivers/driver.ts';
import { PermanentError, TransientError } from '../../../src/drivers/driver.ts';
import { checkHealth } from '../../../src/drivers/health/index.ts';
import { checkSync } from '../../../src/drivers/sync/index.ts';
import type { Drivers } from '../../../src/drivers/index.ts';
import type { Reached } from '../../core/support/reached.ts';
import type { Mortal } from './scheduler.ts';

/** What an effect does, drawn once for each key. */
export interface Turn {
  /** Milliseconds of the world. */
  takes: number;
  ends: 'well' | 'FAILED' | 'TRANSIENT' | 'THROWS';
}

type Draw = (key: string, context: EffectContext) => Turn;
type Told = (action: WorkflowAction, parameters: Record<string, string>, context: EffectContext) => void;

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
  readonly done = new Map<string, Effect>();
  readonly running = new Set<Running>();
  /** Application → what is there. */
  readonly live = new Map<string, string>();
  /** Application → the label of the version that it runs. */
  readonly versions = new Map<string, string>();

  /** `told`: hears what each action is given. */
  constructor(draw: Draw, told: Told, reached: Reached) {
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
      matches: async () => undefined,
      contains: async () => undefined,
      between: async () => undefined,
      preview: async () => undefined,
      read: async () => undefined,
      close: async () => undefined,
    };
    return {
      close: () => driver.close(),
      driver: () => driver,
      checkHealth: (source, context) => checkHealth(source, context, undefined as never, undefined as never),
      checkSync: (source, context) => checkSync(source, context, undefined as never, undefined as never),
      publicPartOf: () => Promise.resolve('ssh-ed25519 AAAA'),
      forge: () => Promise.resolve(undefined),
      runAction: async (action, parameters, context) => {
        this.#told(action, parameters, context);
        await effect(context, () => undefined);
        const { outputs = {} } = action.parameters as { outputs?: Record<string, string> };
        const filled = Object.entries(outputs).map(([name, text]) => [
          name,
          text.replace('${RELEASE_ID}', parameters['RELEASE_ID'] ?? ''),
        ]);
        return { kind: 'succeeded', outputs: Object.fromEntries(filled) as Record<string, string> };
      },
      endAction: () => Promise.resolve(),
    };
  }

  /** The process is gone: what it was doing did not happen. */
  bury(process: Mortal): void {
    for (const each of this.running) if (each.process === process) this.running.delete(each);
  }
}
