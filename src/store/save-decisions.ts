import type { PoolClient, Pool } from 'pg';
import type { Decision } from '../core/decision.ts';
import type { PlannedApplication, PlannedPromotion, ReleasePlan } from '../core/plan.ts';
import type { PromotionState, ReleaseState, Verification } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import { AUDIT_COLUMNS, AUDIT_RECORD, auditRecord } from './audit-log.ts';
import type { AuditEntry } from './audit-log.ts';
import { eventRows } from './event-rows.ts';
import { outboxOf, outboxRow } from './outbox.ts';
import { promotionRow, releaseRow } from './release-shape.ts';
import { Rows, rowsFrom } from './rows.ts';
import type { Columns } from './rows.ts';

/** What is known of a release besides its state; none of it ever changes. */
export interface ReleaseIdentity {
  id: string;
  product: string;
  /** In the order of creation. */
  number: number;
  version: string;
  plan: ReleasePlan;
  /** Content key → digest and label, for deployment records. */
  contents: Record<string, { digest: string; label: string; commit?: string }>;
}

/** A decision with what it was made from. */
export interface DecisionToSave {
  release: ReleaseIdentity;
  /** The state that the decision was made from, as the database has it: what the new state shares with it is not written again. */
  before: ReleaseState;
  /** Its revision: the save is a compare-and-set on it. */
  expected: number;
  decision: Decision;
  /** Of the commands that the decision answers. */
  audit: AuditEntry[];
}

/**
 * Saves many decisions in one statement, so in one transaction or as a part of one: state, events, outbox, deployments,
 * the holds that end with it, and the notice to readers of the log. The statement takes the releases' row locks in the order of their ids, and compares their revisions; a release that
 * another save moved meanwhile is left out, with everything of its decision, and is missing from the answer. It is sent before this returns.
 */
export function saveDecisions(
  client: Pool | PoolClient,
  decisions: DecisionToSave[],
  handedOver: string[],
): Promise<Set<string>> {
  const rows = rowsOf(decisions);
  const { name, text, takes } = statementFor(partsFor(rows, handedOver));
  const values: unknown[] = [decisions.map(({ release }) => release.id)];
  for (const [list, columns] of takes) {
    if (list === 'handed') values.push(handedOver);
    else if (list === 'lifted' || list === 'audited') values.push(JSON.stringify(rows[list]));
    else values.push(rows[list].parameter(columns));
  }
  const saving = client.query<{ id: string }>({ name, text, values });
  return saving.then((answer) => new Set(answer.rows.map((row) => row.id)));
}

/** What decisions write. `of`: the place of the release among those of the save, from 1 on. */
interface SavedRows {
  releases: Rows<[place: number, ...ReturnType<typeof releaseRow>]>;
  promotions: Rows<[of: number, position: number, ...ReturnType<typeof promotionRow>]>;
  events: Rows<[of: number, sequence: number, actor: string | undefined, event: unknown]>;
  outbox: Rows<[of: number, ...ReturnType<typeof outboxRow>]>;
  /** A version became current, for the first time or again. */
  became: Rows<DeploymentRow>;
  /** A version that is current was found healthy. */
  verified: Rows<DeploymentRow>;
  lifted: unknown[];
  audited: unknown[];
}

type DeploymentRow = [
  of: number,
  environment: string | null,
  application: string,
  version: string,
  digest: string,
  commit: string | null,
  at: string,
  verifiedBy: Verification | null,
];

const DEPLOYMENTS = [
  ['of', 'integer'],
  ['environment', 'text'],
  ['application', 'text'],
  ['version', 'text'],
  ['digest', 'text'],
  ['commit_id', 'text'],
  ['at', 'timestamptz'],
  ['verified_by', 'text'],
] as const satisfies Columns;

/** The columns of each list. */
const COLUMNS = {
  releases: [
    ['place', 'integer'],
    ['id', 'uuid'],
    ['expected', 'integer'],
    ['status', 'text'],
    ['sequence', 'integer'],
    ['last_event_at', 'timestamptz'],
    ['started_at', 'timestamptz'],
    ['ended_at', 'timestamptz'],
    ['deadline', 'timestamptz'],
    ['wake_at', 'timestamptz'],
    ['rest', 'json'],
  ],
  promotions: [
    ['of', 'integer'],
    ['position', 'integer'],
    ['status', 'text'],
    ['holds', 'boolean'],
    ['attempt', 'integer'],
    ['dispatch', 'integer'],
    ['started_at', 'timestamptz'],
    ['ended_at', 'timestamptz'],
    ['steps', 'json'],
    ['evidence', 'json'],
    ['problem', 'json'],
    ['approval', 'json'],
    ['overrides', 'json'],
    ['merge', 'json'],
  ],
  events: [
    ['of', 'integer'],
    ['sequence', 'integer'],
    ['actor', 'text'],
    ['event', 'json'],
  ],
  outbox: [
    ['of', 'integer'],
    ['key', 'text'],
    ['lane', 'text'],
    ['work', 'json'],
    ['first', 'float8'],
  ],
  became: DEPLOYMENTS,
  verified: DEPLOYMENTS,
} as const satisfies Record<string, Columns>;

/** Documents of promotions that seldom change. */
const PAPERS = ['problem', 'approval', 'overrides', 'merge'] as const;

/** Columns that are there with a part alone. */
const PART_OF: ReadonlyMap<string, Part> = new Map([
  ['rest', 'rest'],
  ['evidence', 'evidence'],
  ...PAPERS.map((each) => [each, 'papers'] as const),
]);

function rowsOf(decisions: DecisionToSave[]): SavedRows {
  const rows: SavedRows = {
    releases: new Rows(COLUMNS.releases),
    promotions: new Rows(COLUMNS.promotions),
    events: new Rows(COLUMNS.events),
    outbox: new Rows(COLUMNS.outbox),
    became: new Rows(COLUMNS.became),
    verified: new Rows(COLUMNS.verified),
    lifted: [],
    audited: [],
  };
  decisions.forEach(({ release, before, expected, decision, audit }, index) => {
    const { state } = decision;
    const { id } = release;
    const of = index + 1;
    rows.releases.add(of, ...releaseRow(state, before, expected));
    for (const position of decision.changed) {
      const [now, was] = [state.promotions[position], before.promotions[position] as PromotionState];
      if (now) rows.promotions.add(of, position, ...promotionRow(now, was));
    }
    for (const { sequence, actor, event } of eventRows(decision.events)) rows.events.add(of, sequence, actor, event);
    for (const each of outboxOf(decision)) rows.outbox.add(of, ...outboxRow(each));
    for (const { isNew, row } of deploymentsOf(of, release, decision)) rows[isNew ? 'became' : 'verified'].add(...row);
    for (const entry of audit) rows.audited.push({ release_id: id, ...auditRecord(entry) });
    for (const hold of decision.lifted) {
      const at = new Date(state.lastEventAt).toISOString();
      const reason = `release ${shortIdOf(release.product, release.number)} was promoted there`;
      rows.lifted.push({ id: hold, release_id: id, at, reason });
    }
  });
  return rows;
}

/** One statement cannot touch a row twice: "became current" and "found healthy" in one decision are one row. */
function deploymentsOf(
  of: number,
  { plan, contents, version }: ReleaseIdentity,
  { deployments }: Decision,
): Iterable<{ isNew: boolean; row: DeploymentRow }> {
  const rows = new Map<string, { isNew: boolean; row: DeploymentRow }>();
  for (const { promotion, application, at, commit, verified } of deployments) {
    const { applications, environment, name } = plan.promotions[promotion] as PlannedPromotion;
    const planned = applications[application] as PlannedApplication;
    const known = rows.get(planned.name);
    if (known) {
      known.row[7] = verified;
      continue;
    }
    const content = contents[planned.content];
    const pinned = name === plan.triggerEnvironment ? (content?.commit ?? null) : null;
    rows.set(planned.name, {
      isNew: verified === null,
      row: [
        of,
        environment,
        planned.name,
        content?.label ?? version,
        content?.digest ?? '',
        commit ?? pinned,
        new Date(at).toISOString(),
        verified,
      ],
    });
  }
  return rows.values();
}

/** What a save may do without. */
const PARTS = ['rest', 'evidence', 'outbox', 'became', 'verified', 'handed', 'papers', 'lifted', 'audited'] as const;
type Part = (typeof PARTS)[number];

/** What is used seldom has no variant without the others: a connection keeps a plan for each variant that it has seen. */
const SELDOM: readonly Part[] = ['papers', 'lifted', 'audited'];
/** More decisions than this use nearly everything, and what they do not use costs nothing beside them. */
const FEW = 8;

function partsFor(rows: SavedRows, handedOver: string[]): readonly Part[] {
  const { releases, promotions } = rows;
  const isUsed: Record<Part, () => boolean> = {
    rest: () => releases.has('rest'),
    evidence: () => promotions.has('evidence'),
    outbox: () => rows.outbox.size > 0,
    became: () => rows.became.size > 0,
    verified: () => rows.verified.size > 0,
    handed: () => handedOver.length > 0,
    papers: () => PAPERS.some((each) => promotions.has(each)),
    lifted: () => rows.lifted.length > 0,
    audited: () => rows.audited.length > 0,
  };
  if (releases.size > FEW || SELDOM.some((each) => isUsed[each]())) return PARTS;
  return PARTS.filter((each) => isUsed[each]());
}

interface SaveStatement {
  name: string;
  text: string;
  /** The lists that are its parameters behind the ids of the releases, in their order; each but the last three with the columns that are sent. */
  takes: [list: keyof SavedRows | 'handed', columns?: Columns][];
}

const statements = new Map<string, SaveStatement>();

/** Variants of one text, each prepared under its own name. */
function statementFor(parts: readonly Part[]): SaveStatement {
  const name = ['save-decisions', ...(parts === PARTS ? ['whole'] : parts)].join(' ');
  const known = statements.get(name);
  if (known) return known;
  const made = statementOf(name, new Set(parts));
  statements.set(name, made);
  return made;
}

/** A document that is not sent stays as it is; `false` makes it NULL. */
const kept = (column: string): string =>
  `, ${column} = CASE WHEN i.${column} IS NULL THEN p.${column} ELSE nullif(i.${column}, 'false') END`;

function statementOf(name: string, parts: ReadonlySet<Part>): SaveStatement {
  const takes: SaveStatement['takes'] = [];
  let next = 2;
  const take = (list: SaveStatement['takes'][number][0], columns?: Columns): number => {
    takes.push([list, columns]);
    const first = next;
    next += 1;
    return first;
  };
  const isThere = ([column]: Columns[number]): boolean => {
    const part = PART_OF.get(column);
    return part === undefined || parts.has(part);
  };
  const from = (list: keyof typeof COLUMNS): string => {
    const columns = (COLUMNS[list] as Columns).filter(isThere);
    return rowsFrom(columns, take(list, columns));
  };
  const ofSaved = (list: keyof typeof COLUMNS): string => `${from(list)} JOIN saved ON saved.place = i.of`;
  const when = (part: Part, sql: () => string): string => (parts.has(part) ? sql() : '');
  const deployed = (list: 'became' | 'verified', update: string): string => `
), ${list} AS (
  INSERT INTO deployment (release_id, product, environment, application, version, digest, commit_id, at, verified_at,
    verified_by)
  SELECT saved.id, saved.product, i.environment, i.application, i.version, i.digest, i.commit_id, i.at,
    CASE WHEN i.verified_by IS NOT NULL THEN i.at END, i.verified_by
  FROM ${ofSaved(list)}
  ON CONFLICT (release_id, application) DO UPDATE SET ${update}, commit_id = coalesce(excluded.commit_id, deployment.commit_id)`;
  const text = `
WITH locked AS MATERIALIZED (
  -- In one order everywhere: an UPDATE locks rows as it comes across them, and two that share releases would wait in a circle.
  SELECT id FROM release WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
), saved AS (
  UPDATE release r SET
    status = i.status, revision = r.revision + 1, sequence = i.sequence, last_event_at = i.last_event_at, started_at = i.started_at,
    ended_at = i.ended_at, deadline = i.deadline, wake_at = i.wake_at,${when('rest', () => ' rest = coalesce(i.rest, r.rest),')}
    last_position = greatest(r.last_position, pg_current_xact_id()::text::bigint)
  FROM ${from('releases')} JOIN locked ON locked.id = i.id
  -- By their keys: the planner takes a document for a hundred rows, and would go through the whole table for that many.
  WHERE r.id = ANY($1::uuid[]) AND r.id = i.id AND r.revision = i.expected
  RETURNING i.place, r.id, r.product, r.status, r.last_event_at, r.last_position
), of_promotions AS MATERIALIZED (
  -- With its whole key: by one column of two the planner goes through all of an index that it takes for a small one.
  SELECT saved.id AS release_id, i.* FROM ${ofSaved('promotions')}
), promoted AS (
  UPDATE promotion p SET
    status = i.status, holds = i.holds, attempt = i.attempt, dispatch = i.dispatch, started_at = i.started_at,
    ended_at = i.ended_at, steps = coalesce(i.steps, p.steps)${when('evidence', () => kept('evidence'))}${when('papers', () => PAPERS.map(kept).join(''))}
  FROM of_promotions i
  WHERE p.release_id = i.release_id AND p.position = i.position
), logged AS (
  -- The events of a decision have the status and the time of its release.
  INSERT INTO release_event (release_id, sequence, position, at, product, release_status, actor, event)
  SELECT saved.id, i.sequence, saved.last_position, saved.last_event_at, saved.product, saved.status, i.actor, i.event
  FROM ${ofSaved('events')}
  ORDER BY i.of, i.sequence${when(
    'outbox',
    () => `
), queued AS (
  INSERT INTO outbox (key, release_id, lane, work, due_at)
  SELECT i.key, saved.id, i.lane, i.work, now() + i.first * interval '1 millisecond'
  FROM ${ofSaved('outbox')}
  -- Asked for before and not done yet: it is the same work, and must not keep the release from moving.
  ON CONFLICT (key) DO NOTHING`,
  )}${when('became', () =>
    // It became current anew, after a rollback had taken it back.
    deployed(
      'became',
      `at = excluded.at, verified_at = excluded.verified_at, verified_by = excluded.verified_by,
    looked_at = NULL, unseen = NULL, drift = NULL`,
    ),
  )}${when('verified', () =>
    deployed(
      'verified',
      `
    verified_at = coalesce(excluded.verified_at, deployment.verified_at), verified_by = coalesce(excluded.verified_by, deployment.verified_by)`,
    ),
  )}${when(
    'handed',
    () => `
), handed AS (
  DELETE FROM outbox WHERE key = ANY($${take('handed')}::text[])`,
  )}${when(
    'lifted',
    () => `
), lifted AS (
  UPDATE environment_hold h SET lifted_at = i.at, lift_reason = i.reason
  FROM jsonb_to_recordset($${take('lifted')}::jsonb) AS i(id uuid, release_id uuid, at timestamptz, reason text)
  JOIN saved ON saved.id = i.release_id
  WHERE h.id = i.id AND h.lifted_at IS NULL`,
  )}${when(
    'audited',
    () => `
), audited AS (
  INSERT INTO audit_log (${AUDIT_COLUMNS})
  SELECT ${AUDIT_COLUMNS} FROM jsonb_to_recordset($${take('audited')}::jsonb) AS i(release_id uuid, ${AUDIT_RECORD})
  JOIN saved ON saved.id = i.release_id
  ON CONFLICT (command) DO NOTHING`,
  )}
)
SELECT saved.id, (SELECT pg_notify('sluice_events', '')) AS notified FROM saved`;
  return { name, text, takes };
}
