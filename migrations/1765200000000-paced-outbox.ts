import type { MigrationInterface, QueryRunner } from 'typeorm';

/** When a row of the outbox is due, how often it was tried and why it failed; its lane. What is in it stays, and is due at once. */
export class PacedOutbox1765200000000 implements MigrationInterface {
  readonly name = 'PacedOutbox1765200000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [
      `ALTER TABLE "outbox" ADD "lane" text NOT NULL DEFAULT 'queue'`,
      `ALTER TABLE "outbox" ADD "due_at" TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT now()`,
      `ALTER TABLE "outbox" ADD "attempts" integer NOT NULL DEFAULT 0`,
      `ALTER TABLE "outbox" ADD "last_error" text`,
      `UPDATE "outbox" SET "lane" = 'command' WHERE "work"->>'kind' IN ('roll-back', 'observe')`,
      `CREATE INDEX "outbox_errands" ON "outbox" ("release_id") WHERE lane = 'errand'`,
    ]) {
      await runner.query(statement);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "outbox_errands"`);
    for (const column of ['last_error', 'attempts', 'due_at', 'lane'])
      await runner.query(`ALTER TABLE "outbox" DROP COLUMN "${column}"`);
  }
}
