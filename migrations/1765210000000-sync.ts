import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What somebody reported to run, by application; and how a deployment was found good (null: by its health alone, or not yet). */
export class Sync1765210000000 implements MigrationInterface {
  readonly name = 'Sync1765210000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "deployment_report" ("application" text NOT NULL, "commit_id" text, "version" text, "at" TIMESTAMP WITH TIME ZONE NOT NULL, "actor" text, CONSTRAINT "PK_deployment_report" PRIMARY KEY ("application"))`,
    );
    await runner.query(`ALTER TABLE "deployment" ADD "verified_by" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "deployment" DROP COLUMN "verified_by"`);
    await runner.query(`DROP TABLE "deployment_report"`);
  }
}
