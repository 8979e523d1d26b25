import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A gate that soaks must know of bad news that came and went between two of its looks. */
export class UnhealthyReports1764700000000 implements MigrationInterface {
  readonly name = 'UnhealthyReports1764700000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "health_report" ADD "unhealthy_at" TIMESTAMP WITH TIME ZONE`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "health_report" DROP COLUMN "unhealthy_at"`);
  }
}
