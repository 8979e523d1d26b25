import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Commands that must not run twice: which of them have begun. */
export class BegunCommands1765440000000 implements MigrationInterface {
  readonly name = 'BegunCommands1765440000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "begun_command" ("key" text NOT NULL, "begun_at" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY ("key"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "begun_command"`);
  }
}
