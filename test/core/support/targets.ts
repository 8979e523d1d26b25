import type { HealthStatus } from '../../../src/core/definitions.ts';
import type { Observation } from '../../../src/core/health-clock.ts';
import type { Stimulus } from '../../../src/core/release.ts';
import { MINUTE } from './builders.ts';
import type { Around } from './members.ts';

/** What applications run, how they are, and what was reported of both. */
export class Targets {
  readonly #around: Around;
  /** Application → what its source says; what is not here is healthy. */
  readonly #health = new Map<string, Observation>();
  /** Applications whose target takes up nothing any more. */
  readonly #stuck = new Set<string>();
  /** Application → what somebody reported last that it runs. */
  readonly #running = new Map<string, { digest: string; at: number }>();
  /** What sources say once the faults have stopped; after that everything is healthy. */
  readonly #moods: Mood[];

  constructor(around: Around, moods: Mood[]) {
    this.#around = around;
    this.#moods = moods;
  }

  /** From now on its target takes up nothing. */
  stick(application: string): void {
    this.#stuck.add(application);
  }

  healthOf(application: string): Observation {
    const known = this.#health.get(application) ?? { status: 'HEALTHY' as const };
    if (this.#around.calm) return this.#moody(application, this.#moods.shift() ?? 'HEALTHY');
    // Nobody answers now and then.
    return this.#around.tape.chance(8) ? { status: 'UNKNOWN', message: 'no answer' } : known;
  }

  #moody(application: string, mood: Mood): Observation {
    const { unhealthyAt } = this.#health.get(application) ?? {};
    const { now } = this.#around;
    if (mood === 'OLD') return { status: 'HEALTHY', at: now - MINUTE, unhealthyAt };
    if (mood !== 'BLIP' && mood !== 'PROGRESSING' && mood !== 'DEGRADED') return { status: mood, at: now, unhealthyAt };
    const status = mood === 'BLIP' ? 'HEALTHY' : mood;
    this.#health.set(application, { status, at: now, unhealthyAt: now });
    return { status, at: now, unhealthyAt: now };
  }

  told(application: string): HealthStatus | null {
    return this.#health.get(application)?.status ?? null;
  }

  /** It is known from now on. @returns what releases are told of it */
  report(environment: string, application: string, status: HealthStatus): Stimulus {
    const { now } = this.#around;
    const bad = status === 'DEGRADED' || status === 'PROGRESSING';
    const unhealthyAt = bad ? now : this.#health.get(application)?.unhealthyAt;
    this.#health.set(application, { status, at: now, unhealthyAt });
    return { kind: 'health-reported', environment, application, status, ...(bad ? { unhealthyAt: now } : {}) };
  }

  runs(application: string): string | undefined {
    // Some never take anything up; the others do so some time, and when the faults have stopped, at once.
    if (!this.#stuck.has(application) && (this.#around.calm || this.#around.tape.chance(40)))
      this.#around.history.rollOut(application);
    return this.#around.history.runs(application);
  }

  reportedRunning(application: string): { digest: string; at: number } | undefined {
    return this.#running.get(application);
  }

  /** It takes up what was applied. @returns what releases are told of it; null: it takes up nothing */
  reportRunning(environment: string, application: string): Stimulus | null {
    if (this.#stuck.has(application)) return null;
    const digest = this.#around.history.rollOut(application);
    if (digest === undefined) return null;
    this.#running.set(application, { digest, at: this.#around.now });
    return { kind: 'deployment-reported', environment, application, running: { version: digest } };
  }
}

/** BLIP: it was bad for a moment, and nobody looked. OLD: healthy, and told a while ago. */
export type Mood = HealthStatus | 'BLIP' | 'OLD';
