import type { MigrationInterface, QueryRunner } from 'typeorm';

export class OneEntryPerCommand1764900000000 implements MigrationInterface {
  readonly name = 'OneEntryPerCommand1764900000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "audit_log" ADD "command" uuid NOT NULL DEFAULT gen_random_uuid()`);
    await runner.query(`ALTER TABLE "audit_log" ALTER COLUMN "command" DROP DEFAULT`);
    await runner.query(`CREATE UNIQUE INDEX "audit_log_once" ON "audit_log" ("command")`);
    await runner.query(`ALTER TABLE "webhook_delivery" ADD "address" text`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "webhook_delivery" DROP COLUMN "address"`);
    await runner.query(`DROP INDEX "audit_log_once"`);
    await runner.query(`ALTER TABLE "audit_log" DROP COLUMN "command"`);
  }
}
