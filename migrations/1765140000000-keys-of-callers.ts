import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * An idempotency key belongs to whoever gave it. Keys from before belong to nobody ('') for the hours that they are kept: the same
 * request finds its first answer, and another request with such a key is a new one.
 */
export class KeysOfCallers1765140000000 implements MigrationInterface {
  readonly name = 'KeysOfCallers1765140000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "idempotency_key" ADD "caller" text NOT NULL DEFAULT ''`);
    await runner.query(`ALTER TABLE "idempotency_key" DROP CONSTRAINT "PK_ee4c51229acb155f777b21fbc26"`);
    await runner.query(
      `ALTER TABLE "idempotency_key" ADD CONSTRAINT "PK_idempotency_key" PRIMARY KEY ("caller", "operation", "key")`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `DELETE FROM "idempotency_key" k USING "idempotency_key" o WHERE o."operation" = k."operation" AND o."key" = k."key" AND o."caller" < k."caller"`,
    );
    await runner.query(`ALTER TABLE "idempotency_key" DROP CONSTRAINT "PK_idempotency_key"`);
    await runner.query(
      `ALTER TABLE "idempotency_key" ADD CONSTRAINT "PK_ee4c51229acb155f777b21fbc26" PRIMARY KEY ("operation", "key")`,
    );
    await runner.query(`ALTER TABLE "idempotency_key" DROP COLUMN "caller"`);
  }
}
