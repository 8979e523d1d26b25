import type { MigrationInterface, QueryRunner } from 'typeorm';

export class CutOffPromotions1764800000001 implements MigrationInterface {
  readonly name = 'CutOffPromotions1764800000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX "promotion_cut_off" ON "promotion" ("product", "environment", "started_at") WHERE ended_at IS NOT NULL AND started_at IS NOT NULL AND status <> 'SUCCEEDED'`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "promotion_cut_off"`);
  }
}
