import type { Random } from '../../../chaos/random.ts';
import type { Clock } from '../../../src/clock.ts';
import type { Config } from '../../../src/config.ts';
import type { Reached } from '../../core/support/reached.ts';
import type { Drawn, Mood } from './definitions.ts';
import type { Targets } from './outside.ts';
import type { SimulatedQueue } from './queue.ts';
import type { Record } from './record.ts';
import type { Mortal, Scheduler } from './scheduler.ts';

/** What all rooms of a world stand on. */
export interface Ground {
  scheduler: Scheduler;
  record: Record;
  reached: Reached;
  /** Whatever happens is drawn from it. */
  random: Random;
  mood: Mood;
  drawn: Drawn;
  config: Config;
  queue: SimulatedQueue;
  targets: Targets;
  /** People, machines and everything else that never dies, */
  outside: Mortal;
  /** and their clock. */
  clock: Clock;
  /** Releases by their ids, in the order in which they were seen. */
  releases: string[];
  /** For people, processes and edits: no two of a world are alike. */
  nextName(): number;
}
