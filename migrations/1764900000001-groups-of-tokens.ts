import type { MigrationInterface, QueryRunner } from 'typeorm';

export class GroupsOfTokens1764900000001 implements MigrationInterface {
  readonly name = 'GroupsOfTokens1764900000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_token" ADD "groups" jsonb NOT NULL DEFAULT '[]'`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "api_token" DROP COLUMN "groups"`);
  }
}
