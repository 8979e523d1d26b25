import { describe, expect, test } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import type { GitDriverSpec } from '../../src/core/definitions.ts';
import type { StepWork } from '../../src/core/plan.ts';
import { withBoundedProgress } from '../../src/core/progress.ts';
import type { PromotionState } from '../../src/core/release.ts';
import { NO_LOG } from '../../src/drivers/actions/log.ts';
import type { EffectContext, PinnedContent } from '../../src/drivers/driver.ts';
import { createSimulateDriver } from '../../src/drivers/simulate.ts';
import { performStep } from '../../src/jobs/perform-step.ts';
import type { StepPlace } from '../../src/jobs/perform-step.ts';
import { RUNNERS } from '../../src/jobs/runners/index.ts';
import type { Hands, PullRequestsKept } from '../../src/jobs/runners/runner.ts';
import { flowOf, MINUTE } from '../core/support/builders.ts';
import { started } from '../core/support/play.ts';
import { FakeForge } from '../support/fake-forge.ts';
import type { Play } from '../core/support/play.ts';

// What every runner promises, through the one door by which jobs come: a new kind of work does not compile until it has a subject here.

type WorkKind = StepWork['kind'];

/** Of the promotion into eu: which step is of that kind, and how many before it have succeeded. */
const SUBJECTS: Record<WorkKind, number> = { action: 0, apply: 1, propose: 1, merge: 2, sync: 2, health: 3, soak: 4 };
/** Work on a promotion that goes by pull request. */
const BY_PULL_REQUEST: ReadonlySet<WorkKind> = new Set(['propose', 'merge']);
const GIT: GitDriverSpec = { type: 'git', repoURL: 'https://git.example.com/acme/config', branch: 'main', path: 'eu' };

function playTo(kind: WorkKind): Play {
  const byPullRequest = BY_PULL_REQUEST.has(kind);
  const policy = { preAction: 'one', ...(byPullRequest && { action: 'pr' as const }) };
  const steps = { eu: { soak: MINUTE, policy } };
  const play = started(flowOf('dev > eu', { steps }), {
    workflows: { one: ['run'] },
    health: () => ({ type: 'http', url: 'https://example.com' }),
    sync: (name) => (name === 'eu' ? { type: 'http', url: 'https://example.com' } : undefined),
  }).succeed('dev');
  if (byPullRequest) for (const { spec } of play.plan.promotions[1]?.applications ?? []) spec.driver = GIT;
  const outputs = { PULL_REQUEST_NUMBER: '1', PULL_REQUEST_URL: 'https://git.example.com/acme/config/pull/1' };
  for (let done = 0; done < SUBJECTS[kind]; done += 1) play.report('eu', { kind: 'succeeded', outputs });
  return play;
}

const content: PinnedContent = { label: '1.4.2', digest: 'd', files: {} };

interface Given {
  play?: Play;
  attempt?: number;
  progress?: Record<string, unknown>;
  again?: boolean;
}

function placeOf(kind: WorkKind, { play = playTo(kind), attempt = 1, progress, again }: Given = {}): StepPlace {
  const step = SUBJECTS[kind];
  const promotions = play.state.promotions.map((each): PromotionState => ({
    ...each,
    attempt,
    steps: each.steps.map((one, index) => (index === step && progress ? { ...one, progress } : one)),
  }));
  expect(play.plan.promotions[1]?.steps[step]?.work.kind).toBe(kind);
  const contents = { 'billing-dev': content };
  const release = { id: 'r-1', product: 'billing', version: '1.4.2', plan: play.plan, contents };
  return {
    release: release as unknown as StepPlace['release'],
    state: { ...play.state, promotions },
    promotion: 1,
    step,
    controller: new AbortController(),
    again,
  };
}

/** An outside world that does what it is asked once per key, and remembers the keys. `hangs`: until it is told to stop. */
class Outside {
  readonly keys: string[] = [];
  readonly effects: string[] = [];
  readonly #hangs: boolean;
  readonly #driver = createSimulateDriver();
  readonly #forge = new FakeForge();

  constructor({ hangs = false } = {}) {
    this.#hangs = hangs;
    // The one whose merge is waited for.
    const wanted = { head: 'sluice/1', base: 'main', title: 'Promote', body: '' };
    this.#forge.open(GIT.repoURL, wanted, { signal: new AbortController().signal }).catch(() => undefined);
  }

  get hands(): Hands {
    const drivers = {
      driver: () => ({
        apply: async (target: never, what: PinnedContent, context: EffectContext) => {
          await this.#wait(context.signal);
          this.#effect(context.key);
          return this.#driver.apply(target, what, context);
        },
        propose: async (_parts: unknown, branch: string, context: EffectContext) => {
          await this.#wait(context.signal);
          this.#effect(context.key);
          return {
            branch,
            head: `head of ${branch}`,
            commit: `head of ${branch}`,
            base: 'base',
            changed: true,
            files: [],
          };
        },
        landed: async () => ({ head: 'base', contains: null, drift: { files: ['values.yaml'] } }),
        observe: async (target: never, key: string, signal: AbortSignal) => {
          await this.#wait(signal);
          return this.#driver.observe(target, key, signal);
        },
      }),
      runAction: async (_action: unknown, _parameters: unknown, context: EffectContext) => {
        await this.#wait(context.signal);
        this.#effect(context.key);
        return { kind: 'succeeded', outputs: { RAN: 'yes' } };
      },
      checkSync: async (_source: unknown, { signal }: { signal: AbortSignal }) => {
        await this.#wait(signal);
        return { synced: false, message: 'runs 1.3.0', recheckAfter: 5_000 };
      },
      checkHealth: async (_source: unknown, { signal }: { signal: AbortSignal }) => {
        await this.#wait(signal);
        return { status: 'PROGRESSING', message: 'rolling out', recheckAfter: 5_000 };
      },
    };
    const forge = Object.assign(this.#forge, { headOf: (_: string, branch: string) => `head of ${branch}` });
    const begun = new Set<string>();
    const pullRequests: PullRequestsKept = {
      begin: async (record) => {
        const isNew = !begun.has(record.key);
        begun.add(record.key);
        return isNew;
      },
      saw: async () => true,
      ofRelease: async () => [],
      openIn: async () => [],
      close: async () => undefined,
      deleteBranch: async () => undefined,
    };
    const content = ({ version }: { version: PinnedContent }) => Promise.resolve(version);
    const branchOf = (_: unknown, key: string): string => `sluice/${key}`;
    const more = {
      knownContents: () => Promise.resolve([]),
      content,
      pullRequests,
      branchOf,
      linkTo: () => 'urn:release',
    };
    return {
      drivers: { ...drivers, forge: async () => this.#asked(forge) },
      clock: systemClock,
      actionLogs: { open: () => ({ ...NO_LOG, close: async () => undefined }) },
      ...more,
    } as unknown as Hands;
  }

  /** A host that hangs does so at each question. */
  #asked(forge: FakeForge): FakeForge {
    if (!this.#hangs) return forge;
    const hang = (_: unknown, __: unknown, { signal }: { signal: AbortSignal }): Promise<never> =>
      this.#wait(signal) as never;
    return { kind: forge.kind, get: hang, find: hang, open: hang } as unknown as FakeForge;
  }

  #effect(key: string): void {
    this.keys.push(key);
    if (!this.effects.includes(key)) this.effects.push(key);
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (!this.#hangs) return Promise.resolve();
    return new Promise((_, reject) => {
      const stop = (): void => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped'));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop);
    });
  }
}

describe.each(Object.keys(RUNNERS) as WorkKind[])('the runner of %s', (kind) => {
  const hasEffect = kind === 'action' || kind === 'apply' || kind === 'propose';

  test('started again after a crash it has one effect, under one key, and says the same', async () => {
    const outside = new Outside();
    const first = await performStep(outside.hands, placeOf(kind));
    expect(await performStep(outside.hands, placeOf(kind))).toEqual(first);
    expect(outside.effects).toHaveLength(hasEffect ? 1 : 0);
    if (hasEffect) expect(outside.keys[0]).toMatch(/^r-1\.1\.eu\.billing-eu\//);
  });

  test.each<[string, Given]>([
    ['after a wait', { progress: {} }],
    ['after a crash', { again: true }],
  ])('looked at %s it says the same, and nothing of what is there is done anew', async (_name, given) => {
    const outside = new Outside();
    const first = await performStep(outside.hands, placeOf(kind));
    expect(await performStep(outside.hands, placeOf(kind, given))).toEqual(first);
    expect(outside.effects).toHaveLength(hasEffect ? 1 : 0);
    if (kind === 'apply') expect(outside.keys).toHaveLength(1);
  });

  test('looked at where nothing was begun, it begins it', async () => {
    const outside = new Outside();
    const outcome = await performStep(outside.hands, placeOf(kind, { again: true }));
    expect(outcome).toEqual(await performStep(new Outside().hands, placeOf(kind)));
    expect(outside.effects).toHaveLength(hasEffect ? 1 : 0);
  });

  test('another attempt is another key', async () => {
    const outside = new Outside();
    await performStep(outside.hands, placeOf(kind));
    await performStep(outside.hands, placeOf(kind, { attempt: 2 }));
    expect(outside.effects).toHaveLength(hasEffect ? 2 : 0);
  });

  test.each(['stop', 'shutdown'])('told to stop (%s) it ends without an effect', async (reason) => {
    const outside = new Outside({ hangs: true });
    const place = placeOf(kind);
    const running = performStep(outside.hands, place);
    place.controller.abort(reason);
    expect(await running).toEqual({ kind: 'aborted' });
    expect(await performStep(outside.hands, place)).toEqual({ kind: 'aborted' });
    expect(outside.effects).toEqual([]);
  });

  test('when its time is over, nobody can say what came of it', async () => {
    const place = placeOf(kind);
    const running = performStep(new Outside({ hangs: true }).hands, place);
    place.controller.abort('overdue');
    const cutOff = { kind: 'failed', unclear: true, message: expect.stringMatching(/^not done within/) };
    // A soak that could not look stands still, and has an end of its own.
    expect(await running).toMatchObject(kind === 'soak' ? { health: { status: 'UNKNOWN' } } : cutOff);
  });

  test('it keeps no more progress than is kept', async () => {
    const outcome = await performStep(new Outside().hands, placeOf(kind));
    expect(withBoundedProgress(outcome, 'step')).toBe(outcome);
  });
});
