import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A commit status that its host refuses again and again is given up. */
export class RefusedStatuses1765380000000 implements MigrationInterface {
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "commit_status" ADD "refused_since" TIMESTAMP WITH TIME ZONE`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "commit_status" DROP COLUMN "refused_since"`);
  }
}
