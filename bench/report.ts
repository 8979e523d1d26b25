import type { CellResult } from './cell.ts';
import { median, percentile, rounded, table } from './stats.ts';

/** One figure as others read it; floor and ratio are null where there is nothing to compare with. */
export interface Figure {
  name: string;
  backend: 'redis' | 'postgres' | null;
  value: number;
  unit: string;
  floor: number | null;
  /** For a rate value / floor, more is better; for a time too, and there less is better. */
  ratio: number | null;
  /** What it should be at most, where somebody has said so. */
  aim?: number;
}

export interface Measured {
  system: 'floor' | 'redis' | 'postgres';
  round: number;
  result: CellResult;
  /** Processor cores that the whole machine used meanwhile, other people's work included. */
  cores: number;
}

type Reading = (result: CellResult) => number;
const perSecond: Reading = (result) => result.perSecond;
const alone =
  (part: number): Reading =>
  (result) =>
    percentile(result.alone, part);

export function figuresOf(measured: Measured[]): Figure[] {
  const of = (system: string, reading: Reading): number =>
    median(measured.filter((each) => each.system === system).map((each) => reading(each.result)));
  const figures: Figure[] = [];
  for (const backend of ['redis', 'postgres'] as const) {
    if (!measured.some((each) => each.system === backend)) continue;
    const add = (name: string, unit: string, reading: Reading, floorReading?: Reading): void => {
      const value = of(backend, reading);
      const floor = floorReading ? of('floor', floorReading) : null;
      const ratio = floor === null ? null : rounded(value / floor);
      figures.push({
        name,
        backend,
        value: rounded(value),
        unit,
        floor: floor === null ? null : rounded(floor),
        ratio,
      });
    };
    add('throughput', 'releases/s', perSecond, perSecond);
    add('release latency', 'ms p50', alone(0.5), alone(0.5));
    add('release latency', 'ms p99', alone(0.99), alone(0.99));
    add('next environment', 'ms p50', (result) => percentile(result.hops, 0.5));
    add('next environment', 'ms p99', (result) => percentile(result.hops, 0.99));
    add('memory', 'MiB idle', (result) => result.memory.idle);
    add('memory', 'MiB under load', (result) => result.memory.busy);
  }
  return figures;
}

export function report(machine: string, measured: Measured[], figures: Figure[]): string {
  const rounds = table(
    [
      'round',
      'system',
      'releases/s',
      'of floor',
      '100 busy p50/p99 ms',
      'alone p50/p99 ms',
      'transactions',
      'jobs',
      'CPU ms node/PG',
      'cores in use',
    ],
    measured.map(({ system, round, result, cores }) => {
      const floor = measured.find((each) => each.system === 'floor' && each.round === round);
      const jobs = Object.entries(result.jobs).map(([name, count]) => `${count.toFixed(1)} ${name}`);
      return [
        round + 1,
        system,
        result.perSecond.toFixed(0),
        floor ? (result.perSecond / floor.result.perSecond).toFixed(2) : '',
        pair(result.busy),
        pair(result.alone),
        result.transactions.toFixed(1),
        jobs.join(', '),
        `${result.cpu.node.toFixed(2)} / ${result.cpu.postgres.toFixed(2)}`,
        cores.toFixed(2),
      ];
    }),
  );
  const summary = table(
    ['name', 'backend', 'value', 'unit', 'floor', 'ratio', 'aim'],
    figures.map(({ name, backend, value, unit, floor, ratio, aim = null }) => [
      name,
      backend ?? '',
      value,
      unit,
      floor,
      ratio,
      aim,
    ]),
  );
  const profiles = measured.flatMap(({ system, result }) =>
    result.profile ? [`\nWhere the time went, ${system}:\n\n${result.profile}`] : [],
  );
  if (measured.length === 0) return `${machine}\n\n${summary}`;
  return [
    machine,
    'Transactions, jobs and CPU are per release. Cores in use are the whole machine’s: more than this run needs is noise.',
    `${rounds}\n\n${noise(measured)}\n\n${summary}`,
    ...profiles,
  ].join('\n');
}

const pair = (values: number[]): string =>
  `${percentile(values, 0.5).toFixed(1)} / ${percentile(values, 0.99).toFixed(1)}`;

/** How far the rounds lie apart: what is smaller than this is not a difference. */
function noise(measured: Measured[]): string {
  const systems = [...new Set(measured.map((each) => each.system))];
  const spans = systems.map((system) => {
    const values = measured.filter((each) => each.system === system).map((each) => each.result.perSecond);
    const span = ((Math.max(...values) - Math.min(...values)) / median(values)) * 100;
    return `${system} ${span.toFixed(0)} %`;
  });
  return `Releases/s between the slowest and the fastest round: ${spans.join(', ')}.`;
}
