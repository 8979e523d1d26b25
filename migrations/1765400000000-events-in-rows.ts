import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * A row of the log may hold a list of events. Rows that are there stay as they are: rows of one event. The ids of rows leave room for the
 * events before the last one, and the indexes find a row by its first event. `logged_event` shows the log event by event, as the
 * table did.
 */
export class EventsInRows1765400000000 implements MigrationInterface {
  readonly name = 'EventsInRows1765400000000';

  async up(runner: QueryRunner): Promise<void> {
    await run(runner, [
      `ALTER SEQUENCE "release_event_id_seq" INCREMENT BY 1000`,
      // The first row of an empty log has room before it, too.
      `SELECT setval('release_event_id_seq', (SELECT last_value FROM "release_event_id_seq") + 999)`,
      ...indexedBy(`coalesce("event"->0, "event")`),
      `CREATE VIEW "logged_event" AS
       SELECT e.release_id, (e.sequence - e.size + each.number)::integer AS sequence, e.position, e.id - e.size + each.number AS id,
         e.at, e.product, e.release_status, e.actor, each.event
       FROM (SELECT *, CASE jsonb_typeof(event) WHEN 'array' THEN jsonb_array_length(event) ELSE 1 END AS size FROM release_event) e
       CROSS JOIN LATERAL jsonb_path_query(e.event, '$[*]') WITH ORDINALITY AS each(event, number)`,
    ]);
  }

  async down(runner: QueryRunner): Promise<void> {
    await run(runner, [
      `CREATE TEMP TABLE "listed" ON COMMIT DROP AS
       SELECT l.* FROM "logged_event" l WHERE EXISTS (
         SELECT FROM "release_event" e WHERE e.position = l.position AND e.release_id = l.release_id AND jsonb_typeof(e.event) = 'array'
           AND l.sequence > e.sequence - jsonb_array_length(e.event) AND l.sequence <= e.sequence)`,
      `DROP VIEW "logged_event"`,
      `DELETE FROM "release_event" WHERE jsonb_typeof("event") = 'array'`,
      `INSERT INTO "release_event" (release_id, sequence, position, id, at, product, release_status, actor, event)
       SELECT release_id, sequence, position, id, at, product, release_status, actor, event FROM "listed"`,
      ...indexedBy(`"event"`),
      `ALTER SEQUENCE "release_event_id_seq" INCREMENT BY 1`,
    ]);
  }
}

async function run(runner: QueryRunner, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await runner.query(statement);
}

/** In the order of `RARE`. */
const RARE_TYPES = [
  'ReleaseTerminating',
  'ReleaseRetried',
  'ReleaseTerminated',
  'ReleaseFailed',
  'WindowOverridden',
  'HoldLifted',
  'PromotionResumed',
  'PromotionTerminated',
  'PromotionFailed',
  'PromotionSkipped',
  'ApprovalRequested',
  'ApprovalGiven',
  'ApprovalGranted',
  'ApprovalRejected',
  'ApprovalExpired',
  'StepRetrying',
  'StepFailed',
  'StepTerminated',
  'DriftOverwritten',
  'RolloutReported',
  'ReleaseTakenBack',
  'PromotionRollingBack',
  'PromotionRolledBack',
  'PromotionRollbackFailed',
  'RollbackStarted',
  'RollbackJoined',
  'RollbackTargetProposed',
  'RollbackTargetImpossible',
  'RollbackTargetStarted',
  'RollbackTargetSucceeded',
  'RollbackTargetFailed',
  'RollbackTargetLeftAlone',
  'GroupGateFailed',
];

/** The indexes by environment and by rare type, where `event` is what tells of a row. */
function indexedBy(event: string): string[] {
  const [environment, type] = [`${event}->>'environment'`, `${event}->>'type'`];
  const types = RARE_TYPES.map((each) => `'${each}'`).join(', ');
  return [
    `DROP INDEX "release_event_of_environment"`,
    `DROP INDEX "release_event_of_type"`,
    `CREATE INDEX "release_event_of_environment" ON "release_event" ((${environment}), (-"position"), (-"id")) WHERE ${environment} IS NOT NULL`,
    `CREATE INDEX "release_event_of_type" ON "release_event" ((${type}), (-"position"), (-"id")) WHERE ${type} IN (${types})`,
  ];
}
