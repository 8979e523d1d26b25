import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Lists of what is open have indexes that only lists ask for (`product <> ''`, which is always so). While these tables are empty, an index
 * of everything that is open seems as good as one that is entered by product, and the plan of a decision that was made then reads all of it.
 */
export class ListsOfWhatIsOpen1765360000001 implements MigrationInterface {
  readonly name = 'ListsOfWhatIsOpen1765360000001';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const [name, on, open, isSet] of LISTS) {
      await queryRunner.query(`DROP INDEX "${name}"`);
      await queryRunner.query(`CREATE INDEX "${name}" ON ${on} WHERE ${open} AND ${isSet}`);
    }
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    for (const [name, on, open] of LISTS) {
      await queryRunner.query(`DROP INDEX "${name}"`);
      await queryRunner.query(`CREATE INDEX "${name}" ON ${on} WHERE ${open}`);
    }
  }
}

const LISTS = [
  ['release_open_in_order', '"release" ("number")', 'ended_at IS NULL', "product <> ''"],
  ['bad_version_current', '"bad_version" ("since", "id")', 'unmarked_at IS NULL', "product <> ''"],
  ['environment_hold_current', '"environment_hold" ("since", "id")', 'lifted_at IS NULL', "environment <> ''"],
] as const;
