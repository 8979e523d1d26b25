import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What lists of releases are asked for is found by an index. Those by a key count backwards, as those of before do. */
export class SearchedReleases1765462000000 implements MigrationInterface {
  readonly name = 'SearchedReleases1765462000000';

  async up(runner: QueryRunner): Promise<void> {
    for (const [name, on] of INDEXES) await runner.query(`CREATE INDEX "${name}" ON ${on}`);
    await runner.query(
      `CREATE TABLE "release_commit" ("commit" text COLLATE "C" NOT NULL, "number" bigint NOT NULL,
         CONSTRAINT "PK_release_commit" PRIMARY KEY ("commit", "number"))`,
    );
    await runner.query(
      `INSERT INTO "release_commit" SELECT DISTINCT lower(c #>> '{}'), r.number FROM release r JOIN release_plan p ON p.release_id = r.id
         CROSS JOIN LATERAL jsonb_path_query(p.contents, '$.*.commit') AS c`,
    );
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE "release_commit"`);
    for (const [name] of INDEXES) await runner.query(`DROP INDEX "${name}"`);
  }
}

const INDEXES = [
  ['release_of_flow', '"release" ("flow", (-"number"))'],
  ['release_of_label', '"release" ("version", (-"number"))'],
  ['release_of_actor', `"release" (("trigger"->>'actor'), (-"number"))`],
  ['release_of_kind', `"release" ("kind", (-"number")) WHERE "kind" <> 'FORWARD'`],
  ['release_created', '"release" ("created_at", "number")'],
] as const;
