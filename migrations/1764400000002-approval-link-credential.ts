import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApprovalLinkCredential1764400000002 implements MigrationInterface {
  readonly name = 'ApprovalLinkCredential1764400000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "approval_link" ADD "credential" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "approval_link" DROP COLUMN "credential"`);
  }
}
