import { cpus } from 'node:os';
import type { CellResult } from './cell.ts';
import type { Figure } from './figure.ts';
import { LOSS, lossesOf, missesOf } from './earlier.ts';
import type { Compared } from './earlier.ts';
import { isQuiet, sumOf } from './machine.ts';
import { median, percentile, rounded, table } from './stats.ts';

/** A system, and the floor with as many lanes, measured right before it. */
export interface Measured {
  backend: 'redis' | 'postgres';
  round: number;
  floor: CellResult;
  result: CellResult;
}

type Reading = (result: CellResult) => number;

export function figuresOf(measured: Measured[]): Figure[] {
  const figures: Figure[] = [];
  for (const backend of ['redis', 'postgres'] as const) {
    const own = measured.filter((each) => each.backend === backend);
    if (own.length === 0) continue;
    const add = (name: string, unit: string, reading: Reading, hasFloor = false): void => {
      const value = median(own.map(({ result }) => reading(result)));
      const floor = hasFloor ? median(own.map((each) => reading(each.floor))) : null;
      figures.push({
        name,
        backend,
        value: rounded(value),
        unit,
        floor: floor === null ? null : rounded(floor),
        ratio: floor === null ? null : rounded(value / floor),
      });
    };
    add('throughput', 'releases/s', ({ perSecond }) => perSecond, true);
    add('cpu', 'ms of CPU per release', ({ cost }) => sumOf(cost.cpu), true);
    add('release latency', 'ms p50', ({ alone }) => percentile(alone, 0.5), true);
    add('release latency', 'ms p99', ({ alone }) => percentile(alone, 0.99), true);
    add('next environment', 'ms p50', ({ hops }) => percentile(hops.alone, 0.5));
    add('next environment', 'ms p99', ({ hops }) => percentile(hops.alone, 0.99));
    add('next environment', 'ms p50 at half of the throughput', ({ hops }) => percentile(hops.half, 0.5));
    add('next environment', 'ms p99 at half of the throughput', ({ hops }) => percentile(hops.half, 0.99));
    add('handed over to started', 'ms p50 under load', ({ waits }) => percentile(waits, 0.5));
    add('handed over to started', 'ms p99 under load', ({ waits }) => percentile(waits, 0.99));
    add('cost', 'statements per release, the queue’s own apart', ({ cost }) => cost.asked.statements, true);
    add('cost', 'exchanges with PostgreSQL per release', ({ cost }) => cost.asked.exchanges, true);
    add('cost', 'jobs per release', jobsOf);
    add('cost', 'transactions per release', ({ written }) => written.transactions, true);
    add('cost', 'KB of WAL per release', ({ written }) => written.walKB, true);
    add('memory', 'MiB idle', ({ memory }) => memory.idle);
    add('memory', 'MiB under load', ({ memory }) => memory.busy);
  }
  return figures;
}

/** Cores that other people's work used, in the median. */
export const othersOf = (measured: Measured[]): number =>
  median(measured.flatMap(({ floor, result }) => [floor.cores.others, result.cores.others]));

export function report(machine: string, measured: Measured[], figures: Compared[]): string {
  const summary = table(
    ['name', 'backend', 'value', 'unit', 'floor', 'ratio', 'aim', 'earlier', 'its ratio', 'worse by'],
    figures.map(({ name, backend, value, unit, floor, ratio, aim = null, earlier, worse }) => [
      name,
      backend ?? '',
      value,
      unit,
      floor,
      ratio,
      aim,
      earlier?.value ?? null,
      earlier?.ratio ?? null,
      worse === undefined ? '' : `${worse.toFixed(0)} %`,
    ]),
  );
  const compared = [`${summary}\n\n${losses(figures)}`, ...missesOf(figures).map(sayMiss)];
  if (measured.length === 0) return [machine, ...compared].join('\n\n');
  const profiles = measured.flatMap(({ backend, result }) =>
    result.profile ? [`Where the time went, ${backend}:\n\n${result.profile}`] : [],
  );
  return [machine, quiet(measured), speeds(measured), costs(measured), noise(measured), ...compared, ...profiles].join(
    '\n\n',
  );
}

/** The floor's own lines, each followed by what was measured right after it. */
function lines(
  measured: Measured[],
  cells: (result: CellResult, floor: CellResult) => (string | number)[],
): (string | number)[][] {
  return measured.flatMap(({ backend, round, floor, result }) => [
    [round + 1, 'floor', ...cells(floor, floor)],
    [round + 1, backend, ...cells(result, floor)],
  ]);
}

function speeds(measured: Measured[]): string {
  const head = ['round', 'system', 'releases/s', 'of floor', 'busy p50/p99 ms', 'alone p50/p99 ms', 'of floor'];
  const waits = ['handed over to started ms', 'next at half p50/p99 ms'];
  return table(
    [...head, ...waits, 'cores: own', 'others', 'idle'],
    lines(measured, (result, floor) => [
      result.perSecond.toFixed(0),
      (result.perSecond / floor.perSecond).toFixed(2),
      pair(result.busy),
      pair(result.alone),
      (median(result.alone) / median(floor.alone)).toFixed(1),
      result.waits.length > 0 ? pair(result.waits) : '',
      result.hops.half.length > 0 ? pair(result.hops.half) : '',
      result.cores.own.toFixed(2),
      result.cores.others.toFixed(2),
      result.cores.idle.toFixed(2),
    ]),
  );
}

function costs(measured: Measured[]): string {
  const cpu = ['CPU ms', 'node', 'PG', 'Redis', 'in floors'];
  const asked = ['statements', 'queue’s', 'exchanges PG', 'Redis', 'transactions', 'WAL KB', 'jobs'];
  const cells = ({ cost, written }: CellResult, floor: CellResult): (string | number)[] => [
    sumOf(cost.cpu).toFixed(2),
    cost.cpu.node.toFixed(2),
    cost.cpu.postgres.toFixed(2),
    cost.cpu.redis.toFixed(2),
    (sumOf(cost.cpu) / sumOf(floor.cost.cpu)).toFixed(2),
    cost.asked.statements.toFixed(1),
    cost.asked.queueStatements.toFixed(1),
    cost.asked.exchanges.toFixed(1),
    cost.asked.queueExchanges.toFixed(1),
    written.transactions.toFixed(1),
    written.walKB.toFixed(0),
    Object.entries(cost.jobs)
      .map(([name, count]) => `${count.toFixed(1)} ${name}`)
      .join(', '),
  ];
  return `Per release:\n${table(['round', 'system', ...cpu, ...asked], lines(measured, cells))}`;
}

const jobsOf: Reading = ({ cost }) => Object.values(cost.jobs).reduce((sum, each) => sum + each, 0);

/** Whether the machine was this run's own. */
function quiet(measured: Measured[]): string {
  const others = othersOf(measured);
  const share = `other people’s work used ${((others / cpus().length) * 100).toFixed(0)} % of the machine`;
  return isQuiet(others)
    ? `A quiet machine: ${share}.`
    : `NOT A QUIET MACHINE: ${share}. The figure that counts is CPU per release in units of the floor’s (row "cpu"), beside what is counted (rows "cost").`;
}

function losses(figures: Compared[]): string {
  const lost = lossesOf(figures);
  const told = lost.map(
    ({ name, backend, unit, worse }) =>
      `LOSS: ${name}, ${backend ?? 'no'} back end, ${unit}: ${worse?.toFixed(0)} % worse`,
  );
  return told.length > 0
    ? told.join('\n')
    : `Nothing that can be compared with an earlier run is worse by more than ${LOSS} %.`;
}

const sayMiss = ({ name, backend, value, unit, aim }: Figure): string =>
  `MISSED: ${name}${backend === null ? '' : `, ${backend} back end`}, ${unit}: ${value}, and the aim is ${aim}`;

const pair = (values: number[]): string =>
  `${percentile(values, 0.5).toFixed(1)} / ${percentile(values, 0.99).toFixed(1)}`;

/** How far the rounds lie apart: what is smaller than this is not a difference. */
function noise(measured: Measured[]): string {
  const spans = [...new Set(measured.map((each) => each.backend))].map((backend) => {
    const values = measured.filter((each) => each.backend === backend).map(({ result }) => result.perSecond);
    const span = ((Math.max(...values) - Math.min(...values)) / median(values)) * 100;
    return `${backend} ${span.toFixed(0)} %`;
  });
  return `Releases/s between the slowest and the fastest round: ${spans.join(', ')}.`;
}
