import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { InvalidArgumentError, Option } from 'commander';
import { table } from '../bench/stats.ts';
import { above, program, wholeFrom } from '../scripts/program.ts';
import { FAULT_POINTS } from '../src/faults.ts';
import { runArgoCdKillPoints } from './argocd-kill-points.ts';
import { ACTION_POINTS, ACTION_TYPES, runActionKillPoints } from './action-kill-points.ts';
import { WORKFLOW_POINTS } from './workflow-kills.ts';
import { runKillPoints } from './kill-points.ts';
import { EFFECTS, POINTS, runProposalKills } from './proposals/kill-points.ts';
import type { EffectName, Point } from './proposals/kill-points.ts';
import { runChaos } from './run.ts';
import type { LogEntry } from './judge/history.ts';
import type { ChaosOutcome } from './run.ts';

// What runs is ended by the program, whatever ends it. The exit code is 0 when no promise was broken and nothing is stuck.

/** Around the rollback: where it is made, where it is told, and where it works; a release has about 27 effects before its cascade begins. */
const AROUND_A_CASCADE = {
  'in-rollback': [1],
  'after-rollback': [1],
  'after-told': [1, 2],
  'before-effect': [28],
  'after-effect': [29],
  'after-record': [28],
};

const options = program(
  'chaos',
  'Breaks everything around releases that run, or kills a worker at one point after the other, and judges the promises.',
)
  .option('--seed <number>', 'what is drawn', wholeFrom(0))
  .option('--seconds <number>', 'how long things are broken', above(0), 60)
  .addOption(new Option('--backend <backend>', 'where the queue is').choices(['redis', 'postgres']).default('redis'))
  .option('--kill-points', 'kill at each point of a release and of a cascade, each time that it comes to it', false)
  .option('--action-kills <rounds>', 'kill over actions of workflows', wholeFrom(1))
  .option('--argocd-kills <times>', 'kill over syncs of Argo CD, so often at each point', wholeFrom(1))
  .option('--proposal-kills <times>', 'kill over pull requests, so often at each point', wholeFrom(1))
  .option('--effects <effects>', "of pull requests, such as 'branch,open/after-record'; all by default", killsMeant)
  .option('--json <file>', 'write the figures to it')
  .option('--keep', 'keep the logs of the workers', false)
  .option('--main <file>', 'the program that is run', fileURLToPath(new URL('../src/main.js', import.meta.url)))
  .parse()
  .opts<{
    seed?: number;
    seconds: number;
    backend: 'redis' | 'postgres';
    killPoints: boolean;
    actionKills?: number;
    argocdKills?: number;
    proposalKills?: number;
    effects?: Kill[];
    json?: string;
    keep: boolean;
    main: string;
  }>();
const { backend } = options;

// Everything that runs is ended, whatever ends this: the second Ctrl-C too only asks again.
const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());

try {
  if (options.killPoints) await killPoints();
  if (options.actionKills !== undefined) await actionKills(options.actionKills);
  if (options.argocdKills !== undefined) await argoCdKills(options.argocdKills);
  if (options.proposalKills !== undefined)
    await proposalKills(options.proposalKills, options.effects ?? killsMeant(Object.keys(EFFECTS).join()));
} catch (error) {
  if (interrupted.signal.aborted) process.exit(130);
  throw error;
}

const outcome = await runChaos({
  seed: options.seed ?? Date.now() % 1_000_000,
  seconds: options.seconds,
  backend,
  main: options.main,
  keepLogs: options.keep,
  signal: interrupted.signal,
  tell: (line) => console.error(line),
});
if (options.json) await writeFile(options.json, `${JSON.stringify(figuresOf(outcome), null, 2)}\n`);
print(outcome);
const { stuck, missing, invariants } = outcome;
const broken = stuck > 0 || missing.length > 0 || invariants.some((each) => each.violations.length > 0);
process.exit(interrupted.signal.aborted ? 130 : broken ? 1 : 0);

/** Every point, every count that a release reaches, and then cascades: slow, and complete. */
async function killPoints(): Promise<never> {
  const every = Array.from({ length: 60 }, (_, index) => index + 1);
  let broken = false;
  const all: ({ of: string } & Pick<Parameters<typeof runKillPoints>[0], 'counts' | 'cascade' | 'asked'>)[] = [
    { of: 'a release', counts: Object.fromEntries(FAULT_POINTS.map((point) => [point, every])) },
    { of: 'a cascade', counts: AROUND_A_CASCADE, cascade: true },
    { of: 'a cascade that people agree to', counts: AROUND_A_CASCADE, cascade: true, asked: true },
  ];
  for (const { of, ...kills } of all) {
    const { reached, statuses, invariants } = await runKillPoints({
      backend,
      main: options.main,
      ...kills,
      tell: (line) => console.error(line),
      signal: interrupted.signal,
    });
    console.log(`\n${table([`point of ${of}`, 'times reached'], Object.entries(reached))}`);
    for (const { name, violations } of invariants)
      if (violations.length > 0) console.log(`\n${name}:\n  ${violations.join('\n  ')}`);
    // Of cascades the first release is the good one; every other one fails, and each has one rollback, which succeeds.
    const { SUCCEEDED = 0, FAILED = 0, ...others } = statuses;
    const asMeant = FAILED === (kills.cascade ? SUCCEEDED - 1 : 0) && Object.keys(others).length === 0;
    if (!asMeant) console.log(`\nThey ended otherwise: ${JSON.stringify(statuses)}`);
    broken ||= !asMeant || invariants.some((each) => each.violations.length > 0);
  }
  process.exit(broken ? 1 : 0);
}

/** Actions of workflows: crowds of them, and each alone at each point. */
async function actionKills(rounds: number): Promise<never> {
  const workflows = WORKFLOW_POINTS.flatMap((point) => [false, true].map((givenUp) => ({ point, givenUp })));
  const {
    kills,
    crowds,
    workflows: followed,
    broken: lost,
  } = await runActionKillPoints({
    backend,
    main: options.main,
    rounds,
    killsPerPhase: 3,
    workflows,
    seed: options.seed ?? 1,
    tell: (line) => console.error(line),
    signal: interrupted.signal,
  });
  const sum = (of: 'whole' | 'cut' | 'kills'): number => crowds.reduce((total, each) => total + each[of], 0);
  const broken = [...crowds.flatMap((each) => each.broken), ...lost];
  const missed = kills.filter(({ reached }) => !reached).length;
  const ended = crowds.every(({ statuses }) => Object.keys(statuses).join() === 'SUCCEEDED');
  console.log(
    `${sum('kills')} kills of a worker with a crowd at work: ${sum('whole')} logs whole, ${sum('cut')} cut off.`,
  );
  console.log(
    `${kills.length} kills at ${ACTION_TYPES.length * ACTION_POINTS.length} points, ${missed} of which were not reached.`,
  );
  console.log(`${followed.length} kills over a workflow of Argo, ${lost.length} promises broken.`);
  for (const each of broken) console.log(each);
  process.exit(ended && broken.length === 0 && missed === 0 ? 0 : 1);
}

/** Syncs of Argo CD: as often at each point. */
async function argoCdKills(times: number): Promise<never> {
  const { reached, statuses, syncs, wanted, problems } = await runArgoCdKillPoints({
    backend,
    main: options.main,
    times,
    tell: (line) => console.error(line),
    signal: interrupted.signal,
  });
  console.log(table(['point', 'times reached'], Object.entries(reached)));
  const twice = [...syncs].filter(([, count]) => count !== 1);
  console.log(`\n${syncs.size} of ${wanted} syncs were asked for, ${twice.length} of them more than once.`);
  for (const each of [...problems, ...twice.map(([key, count]) => `${key}: ${count} times`)]) console.log(each);
  const good = twice.length === 0 && syncs.size === wanted && problems.length === 0;
  process.exit(good && Object.keys(statuses).join() === 'SUCCEEDED' ? 0 : 1);
}

type Kill = { effect: EffectName; point: Point };

/** @param text names with commas between them, each of an effect or of one of its points; undefined: all */
function killsMeant(text: string): Kill[] {
  const all = Object.keys(EFFECTS) as EffectName[];
  const names = text.split(',').map((each) => each.trim());
  return names.flatMap((name) => {
    const [first, second] = name.split('/');
    const effect = all.find((each) => each === first);
    const points = POINTS.filter((point) => second === undefined || second === point);
    if (effect === undefined || points.length === 0)
      throw new InvalidArgumentError(
        `'${name}' is none of ${all.join(', ')}, each with one of /${POINTS.join(', /')} or none.`,
      );
    return points.map((point) => ({ effect, point }));
  });
}

/** Every effect that Sluice has at a host of pull requests, at every point: hours, where there are many of each. */
async function proposalKills(times: number, kills: readonly Kill[]): Promise<never> {
  const { reached, releases, invariants } = await runProposalKills({
    backend,
    main: options.main,
    kills: kills.map((each) => ({ ...each, times })),
    products: 12,
    tell: (line) => console.error(line),
    signal: interrupted.signal,
  });
  console.log(table(['effect, point', 'times killed'], Object.entries(reached)));
  console.log(`\n${table(['releases', ''], Object.entries(releases))}`);
  console.log(
    `\n${table(
      ['checked', 'broken', 'promise'],
      invariants.map((each) => [each.checked, each.violations.length, each.name]),
    )}`,
  );
  for (const { name, violations } of invariants)
    if (violations.length > 0) console.log(`\n${name}:\n  ${violations.slice(0, 10).join('\n  ')}`);
  const missed = Object.values(reached).some((each) => each < times);
  if (interrupted.signal.aborted) console.log('\nInterrupted: that is as far as it came.');
  process.exit(missed || invariants.some((each) => each.violations.length > 0) ? 1 : 0);
}

/** As others read it: counts in place of sentences. */
function figuresOf({
  seed,
  seconds,
  backend: on,
  faults,
  releases,
  reached,
  invariants: promises,
  stuck: open,
  recovery,
}: ChaosOutcome): object {
  const counted = promises.map(({ name, checked, violations }) => ({ name, checked, violations: violations.length }));
  return { seed, seconds, backend: on, faults, releases, reached, invariants: counted, stuck: open, recovery };
}

function print(outcome: ChaosOutcome): void {
  const { faults, releases, reached, missing: unreached, invariants: promises } = outcome;
  const { stuck: open, recovery, longest, settled, logs } = outcome;
  console.log(table(['fault', 'times'], Object.entries(faults)));
  console.log(`\n${table(['releases', ''], Object.entries(releases))}`);
  const sorted = Object.entries(reached).sort(([one], [other]) => (one < other ? -1 : 1));
  console.log(`\n${table(['reached', 'times'], sorted)}`);
  if (unreached.length > 0) console.log(`\nNot reached: ${unreached.join(', ')}.`);
  console.log(
    `\n${table(
      ['checked', 'broken', 'promise'],
      promises.map((each) => [each.checked, each.violations.length, each.name]),
    )}`,
  );
  for (const { name, violations } of promises) {
    if (violations.length > 0) console.log(`\n${name}:\n  ${violations.slice(0, 10).join('\n  ')}`);
  }
  console.log(
    `\nA release stood still after a fault for ${recovery.p50} s (p50), ${recovery.p99} s (p99), ${recovery.max} s (max).`,
  );
  const described = longest.map(({ seconds, at, fault, releaseId, from, to }) => [
    seconds.toFixed(1),
    at.toFixed(1),
    `${fault.kind} (${fault.on})`,
    releaseId.slice(0, 8),
    `${wording(from)} → ${wording(to)}`,
  ]);
  console.log(`\n${table(['longest s', 'fault at', 'fault', 'release', 'between'], described)}\n`);
  console.log(
    open === 0
      ? `Nothing is stuck; all had ended ${settled.toFixed(1)} s after the faults.`
      : `${open} releases are stuck ${settled.toFixed(1)} s after the faults.`,
  );
  if (logs) console.log(`What the processes wrote is in ${logs}.`);
}

function wording({ event }: LogEntry): string {
  const place =
    'step' in event ? ` ${event.environment} ${event.step}` : 'environment' in event ? ` ${event.environment}` : '';
  return `${event.type}${place}`;
}
