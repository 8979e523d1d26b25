import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Pinned files stand once under their digest. `release_plan.contents` keeps what a version is called; where it still has files itself,
 * the release was made before this, and they are read there. So a large table is upgraded without being read.
 */
export class ContentByDigest1765220000000 implements MigrationInterface {
  readonly name = 'ContentByDigest1765220000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(
      `CREATE TABLE "content" ("digest" text NOT NULL, "files" json NOT NULL, "listing" jsonb NOT NULL, "referenced_at" TIMESTAMP WITH TIME ZONE NOT NULL, CONSTRAINT "PK_content" PRIMARY KEY ("digest"))`,
    );
    // A reference moves its row's time: the new row finds room beside it, and needs no new entry in the index.
    await runner.query(`ALTER TABLE "content" SET (fillfactor = 80)`);
  }

  /** Plans without their files are worth nothing to the version before: the files go back into them. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(
      `UPDATE release_plan l SET contents = (
         SELECT jsonb_object_agg(e.key, e.value || CASE WHEN c.digest IS NULL THEN '{}' ELSE jsonb_build_object('files', c.files) END)
         FROM jsonb_each(l.contents) e LEFT JOIN content c ON c.digest = e.value->>'digest' AND NOT e.value ? 'files')
       WHERE EXISTS (SELECT FROM jsonb_each(l.contents) e WHERE NOT e.value ? 'files')`,
    );
    await runner.query(`DROP TABLE "content"`);
  }
}
