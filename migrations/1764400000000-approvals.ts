import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Approvals1764400000000 implements MigrationInterface {
  readonly name = 'Approvals1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" ADD "approval" jsonb`);
    await runner.query(
      `CREATE INDEX "promotion_asked" ON "promotion" ("release_id", "position") WHERE approval IS NOT NULL AND started_at IS NULL AND ended_at IS NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "promotion_asked"`);
    await runner.query(`ALTER TABLE "promotion" DROP COLUMN "approval"`);
  }
}
