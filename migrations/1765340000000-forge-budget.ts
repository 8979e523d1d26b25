import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What each credential of a forge may still ask for: hosts count per token, not per process. */
export class ForgeBudget1765340000000 implements MigrationInterface {
  readonly name = 'ForgeBudget1765340000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "forge_budget" ("credential" text NOT NULL, "points_at" TIMESTAMP WITH TIME ZONE NOT NULL, "writes_at" TIMESTAMP WITH TIME ZONE NOT NULL, "content_at" TIMESTAMP WITH TIME ZONE NOT NULL, "blocked_until" TIMESTAMP WITH TIME ZONE NOT NULL, "blocked_why" text, "scarce_until" TIMESTAMP WITH TIME ZONE NOT NULL, "strikes" integer NOT NULL, "leases" jsonb NOT NULL, CONSTRAINT "PK_forge_budget" PRIMARY KEY ("credential"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "forge_budget"`);
  }
}
