import type { MigrationInterface, QueryRunner } from 'typeorm';

export class ApprovalLinks1764400000001 implements MigrationInterface {
  readonly name = 'ApprovalLinks1764400000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "approval_link" ("id" uuid NOT NULL, "release_id" uuid NOT NULL, "environment" text NOT NULL, "attempt" integer NOT NULL, "decision" text NOT NULL, "approver" jsonb NOT NULL, "created_by" text, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, "expires_at" TIMESTAMP WITH TIME ZONE NOT NULL, "used_at" TIMESTAMP WITH TIME ZONE, PRIMARY KEY ("id"))`,
    );
    await runner.query(`CREATE INDEX "approval_link_of" ON "approval_link" ("release_id")`);
    await runner.query(
      `CREATE TABLE "signing_key" ("id" integer NOT NULL, "key" text NOT NULL, "created_at" TIMESTAMP WITH TIME ZONE NOT NULL, PRIMARY KEY ("id"))`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "signing_key"`);
    await runner.query(`DROP TABLE "approval_link"`);
  }
}
