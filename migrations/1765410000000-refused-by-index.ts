import type { MigrationInterface, QueryRunner } from 'typeorm';

/** A new secret of a forge tries what was given up: that went through the statuses of all releases, in the transaction of the secret. */
export class RefusedByIndex1765410000000 implements MigrationInterface {
  readonly name = 'RefusedByIndex1765410000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE INDEX "commit_status_refused" ON "commit_status" ("refused_since") WHERE due_at IS NULL AND refused_since IS NOT NULL`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "commit_status_refused"`);
  }
}
