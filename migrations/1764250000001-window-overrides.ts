import type { MigrationInterface, QueryRunner } from 'typeorm';

export class WindowOverrides1764250000001 implements MigrationInterface {
  readonly name = 'WindowOverrides1764250000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" ADD "overrides" jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" DROP COLUMN "overrides"`);
  }
}
