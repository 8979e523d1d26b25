import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Which promotions are hooks: those are not counted, and a list of releases need not read their plans to know it. */
export class HooksApart1765461200001 implements MigrationInterface {
  readonly name = 'HooksApart1765461200001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" ADD "own" boolean NOT NULL DEFAULT false`);
    // Only what has no environment can be one.
    await runner.query(
      `UPDATE promotion p SET own = true FROM release_plan l
       WHERE p.environment IS NULL AND l.release_id = p.release_id AND l.plan->'promotions'->p.position ? 'own'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" DROP COLUMN "own"`);
  }
}
