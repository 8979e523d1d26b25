import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { WorkflowAction } from '../../src/core/definitions.ts';
import type { Progress } from '../../src/core/release.ts';
import type { ActionAnswer } from '../../src/drivers/actions/answer.ts';
import { endAction, runAction } from '../../src/drivers/actions/index.ts';
import type { EffectContext } from '../../src/drivers/driver.ts';
import { PermanentError } from '../../src/drivers/driver.ts';
import type { OpenedSecret, SecretSource } from '../../src/drivers/secret-source.ts';
import { startArgoWorkflows } from '../peers/argo-workflows.ts';
import type { ArgoWorkflowsPeer } from '../peers/argo-workflows.ts';
import { localHttp, noSecrets } from './http-server.ts';
import { contextOf } from './repository.ts';

let argo: ArgoWorkflowsPeer;
beforeEach(async () => {
  argo = await startArgoWorkflows();
  argo.template('smoke', { needs: ['version'] });
  said.length = 0;
});
afterEach(async () => {
  expect(argo.problems).toEqual([]);
  await argo.close();
});

const secrets = (hosts = ['127.0.0.1']): SecretSource => ({
  ...noSecrets,
  open: async (names) =>
    // As a file has it, with a line break at its end.
    new Map(names.map((name): [string, OpenedSecret] => [name, { value: `${argo.token}\n`, hosts }])),
});

const action = (more: Record<string, unknown> = {}): WorkflowAction => ({
  name: 'smoke',
  type: 'argoWorkflow',
  parameters: {
    server: argo.url,
    token: '${secrets.argo}',
    namespace: 'ci',
    template: 'smoke',
    parameters: { version: '${VERSION}' },
    ...more,
  },
  retry: { limit: 2, backoff: 500, maxDelay: 30_000 },
});

const said: string[] = [];
const log = { say: (line: string) => void said.push(line), heard: () => undefined };
const KEY = 'r-1.1.eu.billing-eu/PRE_ACTION/smoke';

/** One look, with what the one before it kept as the database keeps it. */
async function look(
  progress: Progress | null = null,
  {
    one = action(),
    context = {},
    from = secrets(),
  }: { one?: WorkflowAction; context?: Partial<EffectContext>; from?: SecretSource } = {},
): Promise<ActionAnswer> {
  const kept = JSON.parse(JSON.stringify(progress)) as Progress | null;
  const at = { startedAt: 0, now: 0, progress: kept, agreedBy: null };
  return runAction(one, { VERSION: '1.4.2=a,b' }, { ...contextOf(KEY), ...context }, localHttp, from, at, { log });
}

const progressOf = (answer: ActionAnswer): Progress | null => ('progress' in answer ? (answer.progress ?? null) : null);
const end = (progress: Progress | null, { since = 0, now = 1_000 } = {}): Promise<void> =>
  endAction(action(), { VERSION: '1' }, contextOf(KEY), localHttp, secrets(), {
    reason: 'changed my mind',
    since,
    now,
    progress,
  });

test('it is submitted from its template under a name of its key, and followed to its end', async () => {
  const one = action({
    outputs: { IMAGE: 'image' },
    entrypoint: 'fast',
    serviceAccount: 'runner',
    ui: 'https://argo.example.com/x/',
  });
  const first = await look(null, { one });
  const workflow = argo.workflow();
  expect(workflow.name).toMatch(/^sluice-[0-9a-f]{20}$/);
  expect(workflow.labels).toMatchObject({ 'sluice.dev/release': 'release-1' });
  expect(workflow.spec).toEqual({
    workflowTemplateRef: { name: 'smoke' },
    arguments: { parameters: [{ name: 'version', value: '1.4.2=a,b' }] },
    entrypoint: 'fast',
    serviceAccountName: 'runner',
  });
  const link = `https://argo.example.com/x/workflows/ci/${workflow.name}`;
  expect(first).toMatchObject({
    kind: 'pending',
    recheckAfter: 5_000,
    reason: expect.stringContaining(`is submitted: ${link}`),
  });
  const second = await look(progressOf(first), { one });
  expect(second).toMatchObject({ reason: expect.stringContaining('has not begun yet') });
  workflow.runs('1/2');
  const third = await look(progressOf(second), { one });
  expect(third).toMatchObject({ reason: `workflow ci/${workflow.name} runs: ${link}` });
  expect(third).not.toHaveProperty('waitsFor');
  await look(progressOf(third), { one });
  workflow.ends('Succeeded', '', { outputs: { image: 'registry/app:7', other: 'x' } });
  expect(await look(progressOf(third), { one })).toEqual({
    kind: 'succeeded',
    outputs: { IMAGE: 'registry/app:7', WORKFLOW: workflow.name, WORKFLOW_URL: link },
  });
  // A look that finds what the one before it found writes nothing.
  expect(
    said.map((line) => line.replaceAll(workflow.name, 'NAME').replace(link.replace(workflow.name, 'NAME'), 'LINK')),
  ).toEqual([
    'submitted workflow ci/NAME of template smoke: LINK',
    'workflow ci/NAME has not begun yet',
    'workflow ci/NAME runs (1/2)',
    'workflow ci/NAME is Succeeded (2/2)',
  ]);
});

test('a ClusterWorkflowTemplate is submitted as one', async () => {
  argo.template('shared', { clusterScope: true });
  await look(null, { one: action({ template: 'shared', clusterScope: true }) });
  expect(argo.workflow().spec).toMatchObject({ workflowTemplateRef: { name: 'shared', clusterScope: true } });
});

describe('asked twice with one key it is submitted once, when', () => {
  test('a worker died after its submission, before its record', async () => {
    await look();
    argo.workflow().runs();
    expect(await look()).toMatchObject({ kind: 'pending', reason: expect.stringContaining(' runs: ') });
    expect([...argo.made.values()]).toEqual([1]);
    expect(said.at(-2)).toMatch(/^found workflow ci\/sluice-.*, which was submitted before/);
  });

  test('the answer to a submission is lost, or two workers submit at once: 409 is adopted', async () => {
    argo.intercept = (line, response, done) => {
      if (!done || !line.startsWith('POST')) return false;
      argo.intercept = undefined;
      response.destroy();
      return true;
    };
    await expect(look()).rejects.toThrow(/could not be submitted: no answer/);
    // It is not found at first, as if the other worker were between its question and its submission.
    argo.intercept = (line, response, done) => {
      if (!done || !line.startsWith('GET')) return false;
      argo.intercept = undefined;
      response.writeHead(404).end('{"code":5,"message":"not found"}');
      return true;
    };
    expect(await look()).toMatchObject({ kind: 'pending', reason: expect.stringContaining('has not begun yet') });
    expect([[...argo.made.values()], argo.asked.filter((each) => each.startsWith('POST')).length]).toEqual([[1], 2]);
  });

  test('it was over and archived before another worker took over', async () => {
    argo.archive = 'BY_ITSELF';
    await look();
    Object.assign(argo.workflow().ends('Succeeded'), { deleted: true });
    expect(await look()).toMatchObject({ kind: 'succeeded' });
    expect([...argo.made.values()]).toEqual([1]);
  });
});

test('one of that name that is not of this action is named, and left alone', async () => {
  await look();
  const { name } = argo.workflow();
  argo.workflow().deleted = true;
  const other = argo.foreign(name).runs();
  const answer = await look();
  expect(answer).toMatchObject({ kind: 'failed', over: true });
  expect((answer as { message: string }).message).toMatch(
    new RegExp(`^action "smoke" was not submitted: workflow ci/${name} is there already, and is not of this action`),
  );
  await end(null);
  expect([other.phase, other.shutdown]).toEqual(['Running', undefined]);
});

test('what was given up is not submitted, and what was given up meanwhile is stopped again', async () => {
  await expect(look(null, { context: { stillMine: async () => false } })).rejects.toThrow('not this run of its job');
  expect(argo.made.size).toBe(0);
  await expect(look(null, { context: { givenUp: async () => true } })).rejects.toThrow('it is stopped again');
  expect(argo.workflow()).toMatchObject({ shutdown: 'Stop', exitHandlers: 1 });
});

test('a suspended workflow waits for a person', async () => {
  const first = await look();
  argo.workflow().suspends('approve');
  expect(await look(progressOf(first))).toMatchObject({
    kind: 'pending',
    waitsFor: 'PERSON',
    reason: expect.stringContaining(
      'is suspended at approve: waits for the release manager: a person resumes it there',
    ),
  });
});

describe('its end', () => {
  test('Failed is final, and says which nodes failed and why', async () => {
    const first = await look();
    argo.workflow().ends('Failed', "child 'x' failed", {
      nodes: [
        { name: 'unit', type: 'Pod', phase: 'Failed', message: 'main: Error (exit code 1)' },
        { name: 'group', type: 'StepGroup', phase: 'Failed', message: 'of what is in it' },
      ],
    });
    const answer = await look(progressOf(first));
    expect(answer).toMatchObject({ kind: 'failed', over: true });
    const { message } = answer as { message: string };
    expect(message).toMatch(
      /^action "smoke" ended workflow ci\/sluice-\S+ as Failed: child 'x' failed; unit: main: Error \(exit code 1\)\. See http/,
    );
  });

  test('Error is tried again under another name, as often as retry says', async () => {
    const first = await look();
    argo.workflow().ends('Error', 'pod deleted');
    const error = await look(progressOf(first));
    expect(error).toMatchObject({
      kind: 'transient',
      message: expect.stringContaining('as Error: pod deleted'),
      progress: { run: 2 },
    });
    const second = await look(progressOf(error), { context: { tries: 1 } });
    const names = [...argo.made.keys()];
    expect(names).toEqual([names[0], `${names[0]}-2`]);
    argo.workflow().ends('Error', 'pod deleted');
    expect(await look(progressOf(second), { context: { tries: 2 } })).toMatchObject({ kind: 'failed', over: true });
  });

  test('deleted before it was seen it is not known, and nothing is submitted again; an archive knows', async () => {
    const first = await look();
    Object.assign(argo.workflow().ends('Succeeded'), { deleted: true });
    expect(await look(progressOf(first))).toMatchObject({
      kind: 'failed',
      unclear: true,
      message: expect.stringContaining('ttlStrategy'),
    });
    argo.archive = 'WHEN_ASKED';
    expect(await look(progressOf(first))).toMatchObject({ kind: 'succeeded' });
    // Somebody took its name meanwhile.
    argo.foreign(argo.workflow().name);
    expect(await look(progressOf(first))).toMatchObject({ kind: 'succeeded' });
    expect([...argo.made.values()]).toEqual([1]);
  });

  test('an output that is not there is named, with those that are', async () => {
    const one = action({ outputs: { IMAGE: 'image' } });
    const first = await look(null, { one });
    argo.workflow().ends('Succeeded', '', { outputs: { tag: '7' } });
    await expect(look(progressOf(first), { one })).rejects.toThrow(
      /output "IMAGE": .* has no output parameter "image"; it has tag/,
    );
    const large = action({ outputs: { TAG: 'tag' } });
    argo.workflow().outputs = { tag: 'x'.repeat(20_000) };
    await expect(look(progressOf(first), { one: large })).rejects.toThrow(
      'output "TAG" has 20000 bytes; at most 16384',
    );
  });
});

describe('what the server refuses', () => {
  test.each([
    [
      'a template that is not there',
      () => ({ one: action({ template: 'smok' }) }),
      'workflowtemplates.argoproj.io "smok" not found',
    ],
    ['a parameter that is missing', () => ({ one: action({ parameters: {} }) }), 'spec.arguments.version.value'],
    [
      'a right that is missing',
      () => void (argo.forbidden = new Set(['create'])),
      'needs `get`, `create` and `patch` on workflows',
    ],
    ['a token that has expired', () => void (argo.expired = true), 'The token in secret "argo" may have expired'],
  ])('%s is final when it is submitted', async (_, arrange, why) => {
    const answer = await look(null, arrange() ?? {});
    expect(answer).toMatchObject({ kind: 'failed', over: true });
    expect((answer as { message: string }).message).toContain(why);
    expect(JSON.stringify(answer)).not.toContain(argo.token);
  });

  test('too many requests and faults are tried again, when it says so', async () => {
    argo.busy = { status: 429, retryAfter: '7' };
    await expect(look()).rejects.toMatchObject({ name: 'TransientError', retryAfter: 7_000 });
    argo.busy = { status: 500 };
    await expect(look()).rejects.toMatchObject({ name: 'TransientError' });
    expect(argo.made.size).toBe(0);
  });

  test('nothing that keeps a workflow from being looked at makes it fail: it goes on', async () => {
    const first = await look();
    const looks: (() => void)[] = [
      () => (argo.expired = true),
      () => Object.assign(argo, { expired: false, forbidden: new Set(['get']) }),
      () => Object.assign(argo, { forbidden: new Set(), busy: { status: 503, retryAfter: '30' } }),
    ];
    const answers: ActionAnswer[] = [];
    for (const arrange of looks) {
      arrange();
      answers.push(await look(progressOf(first)));
    }
    expect(answers).toMatchObject([
      { kind: 'pending', recheckAfter: 5_000, reason: expect.stringContaining('may have expired') },
      { kind: 'pending', recheckAfter: 5_000, reason: expect.stringContaining('403') },
      { kind: 'pending', recheckAfter: 30_000, reason: expect.stringContaining('503') },
    ]);
    argo.busy = undefined;
    argo.intercept = (_, response) => {
      response.writeHead(200).end('<html>Log in</html>');
      return true;
    };
    expect(await look(progressOf(first))).toMatchObject({
      kind: 'pending',
      reason: expect.stringContaining('not JSON'),
    });
  });

  test('a token goes to the hosts of its secret and nowhere else', async () => {
    await expect(look(null, { from: secrets(['argo.example.com']) })).rejects.toThrow(PermanentError);
    expect(argo.asked).toEqual([]);
  });
});

describe('the errand that ends it', () => {
  test('stops it with its exit handlers, once, wherever it was submitted', async () => {
    const first = await look();
    argo.workflow().runs();
    await end(progressOf(first));
    await end(progressOf(first));
    expect(argo.workflow()).toMatchObject({ phase: 'Failed', shutdown: 'Stop', exitHandlers: 1 });
    expect(argo.asked.filter((each) => each.endsWith('/stop'))).toHaveLength(1);
  });

  test('finds by its key what no record says', async () => {
    await look();
    argo.workflow().runs();
    await end(null);
    expect(argo.workflow().shutdown).toBe('Stop');
  });

  test('looks again for a minute for what may be on its way, and not for what was seen', async () => {
    await expect(end(null)).rejects.toThrow('is not there: it is looked for during 1m');
    await end(null, { since: 0, now: 60_001 });
    const first = await look();
    argo.workflow().deleted = true;
    await end(progressOf(first));
  });

  test('goes on while the server cannot be asked, and is done where nothing can have been begun', async () => {
    const first = await look();
    argo.expired = true;
    await expect(end(progressOf(first))).rejects.toThrow('401');
    const open = { ...secrets(), open: () => Promise.reject(new PermanentError('there is no secret "argo"')) };
    const ending = { reason: 'x', since: 0, now: 0 };
    const ended = (progress: Progress | null): Promise<void> =>
      endAction(action(), {}, contextOf(KEY), localHttp, open, { ...ending, progress });
    await ended(null);
    await expect(ended(progressOf(first))).rejects.toThrow('there is no secret');
  });
});
