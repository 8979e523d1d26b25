import type { MigrationInterface, QueryRunner } from 'typeorm';

export class Approvals1764400000000 implements MigrationInterface {
  readonly name = 'Approvals1764400000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" ADD "approval" jsonb`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "promotion" DROP COLUMN "approval"`);
  }
}
