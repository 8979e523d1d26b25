import type { MigrationInterface, QueryRunner } from 'typeorm';

/** No statement finds candidates or approval links by their release: each of them had an index to keep up for nothing. */
export class UnreadIndex1765380000000 implements MigrationInterface {
  readonly name = 'UnreadIndex1765380000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX "candidate_of_release"`);
    await runner.query(`DROP INDEX "approval_link_of"`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`CREATE INDEX "approval_link_of" ON "approval_link" ("release_id")`);
    await runner.query(
      `CREATE INDEX "candidate_of_release" ON "candidate" ("release_id") WHERE release_id IS NOT NULL`,
    );
  }
}
