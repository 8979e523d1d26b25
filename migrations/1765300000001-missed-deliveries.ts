import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a host is asked next which deliveries of a repository did not arrive, and from when on it has to tell. */
export class MissedDeliveries1765300000001 implements MigrationInterface {
  readonly name = 'MissedDeliveries1765300000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "watched_repository" ADD "missed_next_at" TIMESTAMP WITH TIME ZONE, ADD "missed_since" TIMESTAMP WITH TIME ZONE, ADD "missed_error" text`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "watched_repository" DROP COLUMN "missed_error", DROP COLUMN "missed_since", DROP COLUMN "missed_next_at"`,
    );
  }
}
