import type { Clock } from '../clock.ts';
import type { DriverSpec, HealthSourceSpec, SyncSourceSpec, WorkflowAction } from '../core/definitions.ts';
import type { Budgets } from '../core/forge-budget.ts';
import type { ActionAnswer, ActionLook } from './actions/answer.ts';
import type { CommandSettings, Ending } from './actions/at.ts';
import { endAction, runAction } from './actions/index.ts';
import type { ActionLog } from './actions/log.ts';
import { openedSecrets } from '../opened-secrets.ts';
import type { Driver, EffectContext } from './driver.ts';
import type { SecretSource } from './secret-source.ts';
import type { HealthAnswer, HealthContext } from './health/source.ts';
import type { SyncAnswer, SyncContext } from './sync/source.ts';
import type { Forge } from './forge/forge.ts';
import { Forges } from './forge/index.ts';
import type { GitSettings } from './git/driver.ts';
import { createGitDriver } from './git/driver.ts';
import { publicPartOf } from './git/sign.ts';
import type { SigningKey } from './git/sign.ts';
import { checkHealth } from './health/index.ts';
import { HttpClient } from './http.ts';
import { NetworkGuard } from './network/guard.ts';
import { createSimulateDriver } from './simulate.ts';
import { checkSync } from './sync/index.ts';

/** How the outside world is reached from this process. */
export interface DriverSettings {
  git: Omit<GitSettings, 'guard' | 'secrets' | 'signingKeys' | 'clock'>;
  signingKeys: GitSettings['signingKeys'];
  /** What may be called besides public addresses, as `parseAllowed` answers it. */
  allowedNetworks: readonly string[];
  clock: Clock;
  /** What the action `command` may run. */
  commands: CommandSettings;
  /** What the credentials of forges may still ask for. */
  budgets: Budgets;
}

/** The outside world, as the jobs see it. */
export interface Drivers {
  driver<S extends DriverSpec>(spec: S): Driver<S>;
  checkHealth(source: HealthSourceSpec, context: HealthContext): Promise<HealthAnswer>;
  checkSync(source: SyncSourceSpec, context: SyncContext): Promise<SyncAnswer>;
  runAction(
    action: WorkflowAction,
    parameters: Record<string, string>,
    context: EffectContext,
    look: ActionLook,
    log: ActionLog,
  ): Promise<ActionAnswer>;
  /** Ends what an action began that goes on by itself. @throws whatever keeps it from being done */
  endAction(
    action: WorkflowAction,
    parameters: Record<string, string>,
    context: EffectContext,
    ending: Ending,
  ): Promise<void>;
  /**
   * What the host of a repository has to know of a private key that is to sign commits.
   * @throws PermanentError when nothing can be signed with it: why, without the key
   */
  publicPartOf(key: SigningKey): Promise<string>;
  /**
   * The forge of a repository; undefined when no secret names one and its host is no known one.
   * @throws PermanentError when its host is a known one and no secret is there for it: the message says which to set.
   */
  forge(repoURL: string): Promise<Forge | undefined>;
  /** Ends what goes on without a caller. */
  close(): Promise<void>;
}

/** One per process: drivers keep caches and their locks. */
export function createDrivers(settings: DriverSettings, secrets: SecretSource): Drivers {
  const { signingKeys, clock } = settings;
  const guard = new NetworkGuard(settings.allowedNetworks);
  const http = new HttpClient(guard, clock);
  const byType = {
    git: withoutSecrets(createGitDriver({ ...settings.git, signingKeys, clock, guard, secrets })),
    simulate: createSimulateDriver(),
  };
  const forges = new Forges({ http, secrets, budgets: settings.budgets });
  return {
    // The table's keys are the specs' types, which the compiler does not follow through an index.
    driver: <S extends DriverSpec>(spec: S) => byType[spec.type] as unknown as Driver<S>,
    checkHealth: (source, context) => masked(() => checkHealth(source, context, http, secrets)),
    checkSync: (source, context) => masked(() => checkSync(source, context, http, secrets)),
    // What an action answers becomes parameters of later ones, and is shown to everybody.
    runAction: (action, parameters, context, look, log) =>
      masked(() => runAction(action, parameters, context, http, secrets, look, { commands: settings.commands, log })),
    endAction: (action, parameters, context, ending) =>
      masked(() => endAction(action, parameters, context, http, secrets, ending)),
    publicPartOf: (key) => publicPartOf(key, AbortSignal.timeout(20_000)),
    close: async () => {
      await Promise.all(Object.values(byType).map((each) => each.close()));
    },
    forge: (repoURL) => masked(async () => withMasking(await forges.forge(repoURL))),
  };
}

/** What it answers and what it throws, without the secrets that were opened for it. */
async function masked<T>(work: () => Promise<T>): Promise<T> {
  try {
    return openedSecrets.hideIn(await work());
  } catch (error) {
    openedSecrets.hideInError(error);
    throw error;
  }
}

/** The same for each method: what a host answers is foreign text, and may quote what it was sent. */
function withMasking(forge: Forge | undefined): Forge | undefined {
  if (forge === undefined) return undefined;
  const { deliveries } = forge;
  return {
    kind: forge.kind,
    open: (...args) => masked(() => forge.open(...args)),
    find: (...args) => masked(() => forge.find(...args)),
    get: (...args) => masked(() => forge.get(...args)),
    list: (...args) => masked(() => forge.list(...args)),
    close: (...args) => masked(() => forge.close(...args)),
    merge: (...args) => masked(() => forge.merge(...args)),
    deleteBranch: (...args) => masked(() => forge.deleteBranch(...args)),
    setStatus: (...args) => masked(() => forge.setStatus(...args)),
    comment: (...args) => masked(() => forge.comment(...args)),
    mayMerge: (...args) => masked(() => forge.mayMerge(...args)),
    commitRules: (...args) => masked(() => forge.commitRules(...args)),
    ...(deliveries && {
      deliveries: {
        since: (...args) => masked(() => deliveries.since(...args)),
        redeliver: (...args) => masked(() => deliveries.redeliver(...args)),
      },
    }),
  };
}

/** What it answers as it is, and what it throws without secrets. */
async function asItIs<T>(work: () => Promise<T>): Promise<T> {
  const answered: T[] = [];
  await masked(async () => {
    answered.push(await work());
  });
  return answered[0]!;
}

/** Pinned content is promoted byte for byte: only what is said of it is masked. */
function withoutSecrets<S extends DriverSpec>(driver: Driver<S>): Driver<S> {
  return {
    revision: (...args) => masked(() => driver.revision(...args)),
    heads: async (...args) => {
      const answer = await driver.heads(...args);
      return answer?.kind === 'FAILED' ? openedSecrets.hideIn(answer) : answer;
    },
    moved: (...args) => masked(() => driver.moved(...args)),
    refs: (...args) => masked(() => driver.refs(...args)),
    pin: (...args) => asItIs(() => driver.pin(...args)),
    apply: (...args) => masked(() => driver.apply(...args)),
    observe: (...args) => masked(() => driver.observe(...args)),
    propose: (...args) => masked(() => driver.propose(...args)),
    proposeFiles: (...args) => masked(() => driver.proposeFiles(...args)),
    landed: (...args) => masked(() => driver.landed(...args)),
    matches: (...args) => masked(() => driver.matches(...args)),
    contains: (...args) => masked(() => driver.contains(...args)),
    between: (...args) => masked(() => driver.between(...args)),
    preview: (...args) => masked(() => driver.preview(...args)),
    read: (...args) => asItIs(() => driver.read(...args)),
    close: () => driver.close(),
  };
}
