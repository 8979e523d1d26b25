import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The step that a link's decision is about; null: the start of the promotion. */
export class LinksForSteps1765461200000 implements MigrationInterface {
  readonly name = 'LinksForSteps1765461200000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "approval_link" ADD "step" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "approval_link" DROP COLUMN "step"`);
  }
}
