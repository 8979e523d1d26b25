import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What actions of workflows write while they run. */
export class ActionLogs1765450000000 implements MigrationInterface {
  readonly name = 'ActionLogs1765450000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "action_log" ("release_id" uuid NOT NULL, "position" integer NOT NULL, "step" text NOT NULL, "attempt" integer NOT NULL,
         "try" integer NOT NULL, "chunk" integer NOT NULL, "sequence" integer NOT NULL, "total" bigint NOT NULL,
         "at" TIMESTAMP WITH TIME ZONE NOT NULL, "text" text NOT NULL,
         CONSTRAINT "action_log_pkey" PRIMARY KEY ("release_id", "position", "step", "attempt", "try", "chunk"))`,
    );
    await runner.query(`CREATE UNIQUE INDEX "action_log_order" ON "action_log" ("release_id", "sequence")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "action_log"`);
  }
}
