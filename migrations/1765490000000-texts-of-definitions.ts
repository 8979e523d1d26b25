import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Revisions of definitions keep the text that they were written as, where there was one. */
export class TextsOfDefinitions1765490000000 implements MigrationInterface {
  readonly name = 'TextsOfDefinitions1765490000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "definition_revision" ADD "text" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "definition_revision" DROP "text"`);
  }
}
