import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Drift1764800000000 implements MigrationInterface {
  readonly name = 'Drift1764800000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "deployment" ADD "looked_at" TIMESTAMP WITH TIME ZONE, ADD "asked_at" TIMESTAMP WITH TIME ZONE, ADD "unseen" text, ADD "drift" jsonb`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `ALTER TABLE "deployment" DROP COLUMN "drift", DROP COLUMN "unseen", DROP COLUMN "asked_at", DROP COLUMN "looked_at"`,
    );
  }
}
