import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How many looks in a row found each application of an observed environment DEGRADED: name → number. */
export class BadLooks1765110000001 implements MigrationInterface {
  readonly name = 'BadLooks1765110000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "observation" ADD "bad_looks" jsonb NOT NULL DEFAULT '{}'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "observation" DROP COLUMN "bad_looks"`);
  }
}
