import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Every save of a definition has a number, in the order of the commits, so that the saves can be followed. */
export class ChangesOfDefinitions1765462000001 implements MigrationInterface {
  readonly name = 'ChangesOfDefinitions1765462000001';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "definition_revision" ADD "change" bigint`);
    // The clock has counted them all.
    await runner.query(
      `UPDATE "definition_revision" d SET "change" = n.place
       FROM (SELECT kind, name, revision, row_number() OVER (ORDER BY at, kind, name, revision) AS place FROM "definition_revision") n
       WHERE (d.kind, d.name, d.revision) = (n.kind, n.name, n.revision)`,
    );
    await runner.query(`CREATE UNIQUE INDEX "definition_revision_in_order" ON "definition_revision" ("change")`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE "definition_revision" DROP "change"`);
  }
}
