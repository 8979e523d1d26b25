import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';

/**
 * The floor: as many small transactions as a release has steps, and one that creates it, by bare `pg` with named statements. No
 * queue, no decisions, nothing that survives a crash but the rows.
 */
export class Floor {
  readonly pool: Pool;

  private constructor(url: string) {
    this.pool = new Pool({ connectionString: url, max: CONNECTIONS, options: '-c client_min_messages=warning' });
  }

  static async open(url: string): Promise<Floor> {
    const floor = new Floor(url);
    await floor.pool.query(`
      CREATE TABLE IF NOT EXISTS floor_environment (
        release_id uuid, environment integer, status text NOT NULL, steps integer NOT NULL, PRIMARY KEY (release_id, environment));
      CREATE TABLE IF NOT EXISTS floor_event (
        release_id uuid, environment integer, step integer, at timestamptz NOT NULL DEFAULT now(), event jsonb NOT NULL,
        PRIMARY KEY (release_id, environment, step))`);
    return floor;
  }

  /** Ended: create, then the environments in waves, each with four steps one after the other. */
  async release(): Promise<void> {
    const id = randomUUID();
    await this.pool.query({ name: 'floor-create', text: CREATE, values: [id] });
    for (const wave of [[0], [1], [2, 3, 4], [5]])
      await Promise.all(wave.map((environment) => this.#environment(id, environment)));
  }

  /** Every step in one sequence, as the throughput floor of the reference has it: 100 such loops side by side. */
  async sequential(): Promise<void> {
    const id = randomUUID();
    await this.pool.query({ name: 'floor-create', text: CREATE, values: [id] });
    for (let environment = 0; environment < 6; environment += 1) await this.#environment(id, environment);
  }

  async #environment(id: string, environment: number): Promise<void> {
    for (let step = 0; step < 4; step += 1) {
      await this.pool.query({
        name: 'floor-step',
        text: STEP,
        values: [id, environment, step, step === 3 ? 'SUCCEEDED' : 'RUNNING', EVENT],
      });
    }
  }

  close(): Promise<void> {
    return this.pool.end();
  }
}

const CONNECTIONS = 16;
const EVENT = JSON.stringify({
  type: 'StepSucceeded',
  environment: 'us-east',
  attempt: 1,
  step: 'app/PRE_ACTION/check',
  phase: 'PRE_ACTION',
});
const CREATE = `INSERT INTO floor_environment SELECT $1, n, 'PENDING', 0 FROM generate_series(0, 5) AS n`;
const STEP = `WITH moved AS (UPDATE floor_environment SET status = $4, steps = $3 + 1 WHERE release_id = $1 AND environment = $2)
INSERT INTO floor_event (release_id, environment, step, event) VALUES ($1, $2, $3, $5)`;
