import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyDefinition, WorkflowAction } from '../src/core/definitions.ts';
import { mutate } from './api.ts';
import { query } from './database.ts';
import type { SluiceProcess } from './processes.ts';
import type { Random } from './random.ts';

/** What became of releases whose worker was killed while all of their actions were at work. */
export interface Crowd {
  statuses: Record<string, number>;
  /** How often the worker was killed, and how many actions it had begun and not ended then, the fewest of all kills. */
  kills: number;
  atWork: number;
  /** Logs that were judged: tries that saw the end of their action, and tries that were cut off. */
  whole: number;
  cut: number;
  /** What is wrong with a log. */
  broken: string[];
}

const PARALLEL = ['one', 'two', 'three', 'four'];
const PHASES = ['PRE_ACTION', 'POST_ACTION'] as const;
/** Lines that each action writes, and seconds between two of them. */
const LINES = 8;
const PAUSE = 0.25;

const productOf = (index: number): string => `crowd-${index}`;
const metadata = (name: string) => ({ name, labels: {}, annotations: {} });
const lineOf = (action: string, line: number): string => `${action} writes line ${line}`;

/** Products of which each has four actions side by side before its change, and four after it. */
export function crowdOf(releases: number): AnyDefinition[] {
  const actions = PARALLEL.map((name): WorkflowAction => {
    const script = `i=1; while [ $i -le ${LINES} ]; do echo "${lineOf(name, 0).replace(/0$/, '$i')}"; sleep ${PAUSE}; i=$((i+1)); done`;
    return { name, type: 'command', parameters: { program: '/bin/sh', args: ['-c', script] } };
  });
  const products = Array.from({ length: releases }, (_, index) => productOf(index));
  return [
    { kind: 'PromotionWorkflow', metadata: metadata('crowd'), spec: { actions } },
    {
      kind: 'PromotionFlow',
      metadata: metadata('crowd'),
      spec: {
        triggerEnvironment: 'dev',
        onFailure: 'FINISH_RUNNING',
        steps: [{ environment: 'eu', dependsOn: ['dev'], policy: { preAction: 'crowd', postAction: 'crowd' } }],
      },
    },
    ...products.flatMap((product): AnyDefinition[] => [
      {
        kind: 'Product',
        metadata: metadata(product),
        spec: { promotionFlows: [{ name: 'crowd' }], concurrency: 'QUEUE', queueLimit: 50 },
      },
      ...['dev', 'eu'].map((environment): AnyDefinition => ({
        kind: 'Application',
        metadata: metadata(`${product}-${environment}`),
        spec: { product, environment, driver: { type: 'simulate' }, health: { type: 'none' } },
      })),
    ]),
  ];
}

/**
 * Releases at once on one worker, which is killed (SIGKILL) when all actions before the change are at work, and when all after it are, so
 * often. Then each log is judged: a try of each action is whole, and each other one is its beginning, to the end of a line.
 */
export async function runCrowd(options: {
  server: SluiceProcess;
  worker: SluiceProcess;
  databaseUrl: string;
  releases: number;
  killsPerPhase: number;
  random: Random;
  version: string;
}): Promise<Crowd> {
  const { server, worker, databaseUrl, releases, killsPerPhase, random, version } = options;
  const ids = await Promise.all(
    Array.from({ length: releases }, async (_, index) => {
      const { releaseId, userErrors } = await mutate(server.url, 'trigger', { product: productOf(index), version });
      if (releaseId === null) throw new Error(`the release is refused: ${JSON.stringify(userErrors)}`);
      return releaseId;
    }),
  );
  const all = releases * PARALLEL.length;
  let atWork = all;
  for (const phase of PHASES) {
    for (let kill = 1; kill <= killsPerPhase; kill += 1) {
      // Each of them has written, and none has had the time to end.
      await until(`every action of ${phase} is at work`, async () => {
        const logs = await logsOf(databaseUrl, ids);
        // On a busy machine a run can lose its job before it has written: then it is a later try.
        const begun = logs.filter((each) => each.phase === phase && each.try >= kill && each.text.includes('line 1\n'));
        return new Set(begun.map(({ releaseId, step }) => `${releaseId} ${step}`)).size === all;
      });
      await sleep(random.between(0, 1_000 * PAUSE * 2));
      await worker.kill();
      const ended = (await logsOf(databaseUrl, ids)).filter(
        (each) => each.phase === phase && each.text.includes('ended with'),
      );
      atWork = Math.min(atWork, all - ended.length);
    }
  }
  const statuses = new Map<string, string>();
  await until('every release has ended', async () => {
    const rows = await query<{ id: string; status: string }>(
      databaseUrl,
      'SELECT id, status FROM release WHERE id = ANY($1) AND ended_at IS NOT NULL',
      [ids],
    );
    for (const { id, status } of rows) statuses.set(id, status);
    return rows.length === ids.length;
  });
  const counted: Record<string, number> = {};
  for (const status of statuses.values()) counted[status] = (counted[status] ?? 0) + 1;
  return { statuses: counted, kills: PHASES.length * killsPerPhase, atWork, ...(await judge(databaseUrl, ids)) };
}

interface Tried {
  releaseId: string;
  step: string;
  phase: string;
  action: string;
  try: number;
  text: string;
}

async function logsOf(databaseUrl: string, ids: readonly string[]): Promise<Tried[]> {
  const rows = await query<{ releaseId: string; step: string; try: number; text: string }>(
    databaseUrl,
    `SELECT release_id AS "releaseId", step, try, string_agg(text, '' ORDER BY sequence) AS text
     FROM action_log WHERE release_id = ANY($1) GROUP BY release_id, position, step, attempt, try ORDER BY release_id, step, try`,
    [ids],
  );
  return rows.map((row) => {
    const [, phase = '', action = ''] = row.step.split('/');
    return { ...row, phase, action };
  });
}

async function judge(databaseUrl: string, ids: readonly string[]): Promise<Pick<Crowd, 'whole' | 'cut' | 'broken'>> {
  const broken: string[] = [];
  const gaps = await query<{ id: string }>(
    databaseUrl,
    `SELECT release_id AS id FROM action_log WHERE release_id = ANY($1) GROUP BY release_id HAVING max(sequence) <> count(*) OR min(sequence) <> 1`,
    [ids],
  );
  for (const { id } of gaps) broken.push(`the chunks of ${id} are not numbered without gaps`);
  const logs = new Map<string, Tried[]>();
  for (const each of await logsOf(databaseUrl, ids)) {
    const key = `${each.releaseId} ${each.step}`;
    logs.set(key, [...(logs.get(key) ?? []), each]);
  }
  const wanted = ids.length * PARALLEL.length * PHASES.length;
  if (logs.size !== wanted) broken.push(`${logs.size} actions of ${wanted} have a log`);
  let whole = 0;
  let cut = 0;
  for (const [key, tries] of logs) {
    const action = tries[0]!.action;
    // A run that found that its job was another one's by then says so, and begins nothing.
    const begun = tries.find(({ text }) => text.startsWith('> /bin/sh '))?.text ?? '';
    const lines = Array.from({ length: LINES }, (_, index) => `${lineOf(action, index + 1)}\n`);
    const expected = `${begun.split('\n')[0]}\n${lines.join('')}> ended with code 0\n`;
    if (begun === '' || !tries.some(({ text }) => text === expected))
      broken.push(`no try of ${key} is whole: ${JSON.stringify(tries)}`);
    for (const { text, try: number } of tries) {
      // A run that has lost its job sees its program end, because the run that took its place ends it.
      const written = text.startsWith('> action ') ? '' : text.replace(/(?<=\n)(> .*\n)+$/, '');
      if (!expected.startsWith(written) || !text.endsWith('\n'))
        broken.push(`try ${number} of ${key} is not the beginning of its log: ${JSON.stringify(text)}`);
      if (text === expected) whole += 1;
      else cut += 1;
    }
    if (tries.some((each, index) => each.try !== index + 1)) broken.push(`the tries of ${key} are not counted from 1`);
  }
  return { whole, cut, broken };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 120_000; !(await holds()); await sleep(50))
    if (Date.now() > deadline) throw new Error(`not within two minutes: ${what}`);
}
