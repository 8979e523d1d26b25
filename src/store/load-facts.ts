import type { Pool, PoolClient } from 'pg';
import { marks } from '../core/holds.ts';
import type { BadVersion, EnvironmentHold } from '../core/holds.ts';
import type { Facts, LiveVersion, OtherRelease, PromotionStatus, ReleaseKind } from '../core/release.ts';
import { shortIdOf } from '../core/short-id.ts';
import type { ReleaseWindow } from '../core/windows/index.ts';
import { toBadVersion } from './bad-versions.ts';
import type { BadVersionRecord } from './bad-versions.ts';
import type { DefinitionSnapshot, DefinitionSnapshots } from './definition-snapshot.ts';
import { toHold } from './environment-holds.ts';
import type { HoldRecord } from './environment-holds.ts';

/** Another release of the same product. */
interface Numbered {
  id: string;
  number: number;
}

interface FactsRecord {
  id: string;
  product: string;
  kind: ReleaseKind;
  /** The environments into which it may still promote; after a retry those that failed or were skipped, too. */
  ahead: string[] | null;
  behind: Numbered | null;
  older: Record<string, Numbered & { status: PromotionStatus }> | null;
  holding: Record<string, Numbered> | null;
  holds: HoldRecord[] | null;
  marks: BadVersionRecord[] | null;
  byPerson: boolean;
  overtaken: string[] | null;
  definitions: string;
}

/**
 * Facts for these releases, read in one statement under their products' locks: who is before them, who is at work where, what
 * holds, what was marked bad; then which windows concern them. Costs what they themselves have, however many others are open.
 */
export async function loadFacts(
  client: PoolClient,
  releases: { id: string }[],
  definitions: DefinitionSnapshots,
): Promise<Map<string, Facts>> {
  const { rows } = await client.query<FactsRecord>({
    name: 'load-facts',
    text: FACTS,
    values: [releases.map((each) => each.id)],
  });
  const snapshot = await definitions.of(client, rows[0]?.definitions ?? '0');
  const facts = new Map<string, Facts>();
  for (const row of rows) facts.set(row.id, await toFacts(client, row, snapshot));
  return facts;
}

/**
 * QUEUE and SUPERSEDE: one release of a product at a time, in the order of creation. PIPELINE: releases overlap, and each
 * environment takes them in order. TERMINATE: they overlap too; a newer release ends the older one in its way. A rollback
 * stands in no line: it waits for no turn, and no release waits for its turn; only one release is at work in an environment.
 */
export const FACTS = `
SELECT r.id, r.product, r.kind, own.ahead, r.trigger->>'kind' = 'MANUAL' AS "byPerson",
  (SELECT revision FROM definition_clock) AS definitions,
  CASE WHEN r.kind = 'FORWARD' AND r.concurrency IN ('QUEUE', 'SUPERSEDE') THEN coalesce(
    (SELECT jsonb_build_object('id', o.id, 'number', o.number) FROM release o WHERE o.product = r.product AND o.ended_at IS NULL AND o.kind = 'FORWARD' AND o.started_at IS NOT NULL AND o.id <> r.id
     ORDER BY o.number LIMIT 1),
    (SELECT jsonb_build_object('id', o.id, 'number', o.number) FROM release o WHERE o.product = r.product AND o.ended_at IS NULL AND o.kind = 'FORWARD' AND o.number < r.number
     ORDER BY o.number LIMIT 1)) END AS behind,
  (SELECT jsonb_object_agg(e.environment, jsonb_build_object('id', o.release_id, 'number', o.number)) FROM unnest(own.ahead) AS e(environment), LATERAL (
     SELECT p.release_id, p.number FROM promotion p
     WHERE p.product = r.product AND p.environment = e.environment AND p.holds AND p.release_id <> r.id LIMIT 1) AS o) AS holding,
  CASE WHEN r.kind = 'FORWARD' AND r.concurrency = 'PIPELINE' THEN
    (SELECT jsonb_object_agg(e.environment, jsonb_build_object('id', o.release_id, 'number', o.number, 'status', o.status)) FROM unnest(own.ahead) AS e(environment), LATERAL (
       SELECT p.release_id, p.number, p.status FROM promotion p
       WHERE p.product = r.product AND p.environment = e.environment AND p.ended_at IS NULL AND p.number < r.number
         AND (SELECT f.kind FROM release f WHERE f.id = p.release_id) = 'FORWARD'
       ORDER BY p.number DESC LIMIT 1) AS o) END AS older,
  (SELECT array_agg(DISTINCT d.environment) FROM deployment d
   -- Found by its release alone: the index by environment holds everybody's.
   WHERE d.release_id = r.id AND coalesce(d.environment, '') = ANY(own.unfinished) AND EXISTS (
     SELECT FROM deployment n
     WHERE n.product = d.product COLLATE "C" AND n.environment = d.environment COLLATE "C"
       AND n.application = d.application COLLATE "C" AND (n.at, n.id) > (d.at, d.id) OFFSET 0)) AS overtaken,
  (SELECT jsonb_agg(to_jsonb(h)) FROM environment_hold h
   WHERE h.lifted_at IS NULL AND h.environment = ANY(own.ahead) AND (h.product IS NULL OR h.product = r.product)) AS holds,
  (SELECT jsonb_agg(to_jsonb(b)) FROM bad_version b
   WHERE b.product = r.product AND b.digest = r.digest AND b.unmarked_at IS NULL) AS marks
FROM release r, LATERAL (
  SELECT array_agg(p.environment) FILTER (WHERE p.environment IS NOT NULL) AS ahead,
    array_agg(coalesce(p.environment, '')) AS unfinished
  FROM promotion p WHERE p.release_id = r.id AND p.status <> 'SUCCEEDED') AS own
WHERE r.id = ANY($1)`;

async function toFacts(client: PoolClient, row: FactsRecord, snapshot: DefinitionSnapshot): Promise<Facts> {
  const windows: Record<string, ReleaseWindow[]> = {};
  const holds: Record<string, EnvironmentHold[]> = {};
  const badVersions: Record<string, BadVersion[]> = {};
  const kept = (row.holds ?? []).map(toHold);
  const marked = (row.marks ?? []).map(toBadVersion);
  for (const environment of row.ahead ?? []) {
    const selected = snapshot.windowsFor(row.product, environment);
    if (selected.length > 0) windows[environment] = selected;
    const held = kept.filter((each) => each.environment === environment);
    if (held.length > 0) holds[environment] = held;
    if (marked.length === 0) continue;
    const bad = marked.filter((each) => marks(each, environment, snapshot.groupsOf(environment)));
    if (bad.length > 0) badVersions[environment] = bad;
  }
  const strict = Object.keys(windows).filter((each) => windows[each]?.some(({ spec }) => spec.runway));
  const runway = strict.length > 0 ? await loadRunway(client, row.product, strict) : {};
  const live = row.kind === 'ROLLBACK' ? await loadLive(client, row.id) : {};
  const { byPerson, older, holding } = row;
  const called = ({ id, number }: Numbered): OtherRelease => ({ id, called: shortIdOf(row.product, number) });
  const behind = row.behind && called(row.behind);
  const heldBy: Record<string, OtherRelease> = {};
  const ahead: Record<string, PromotionStatus> = {};
  for (const [environment, { status, ...release }] of Object.entries(older ?? {})) {
    heldBy[environment] = called(release);
    if (holding?.[environment] === undefined) ahead[environment] = status;
  }
  for (const [environment, release] of Object.entries(holding ?? {})) heldBy[environment] = called(release);
  return { behind, heldBy, ahead, windows, runway, live, holds, badVersions, byPerson, overtaken: row.overtaken ?? [] };
}

/** The newest deployment of every application that the rollback brings back. */
async function loadLive(client: PoolClient, rollbackId: string): Promise<Record<string, LiveVersion>> {
  const { rows } = await client.query<LiveVersion & { application: string }>({
    name: 'load-live',
    text: `SELECT DISTINCT ON (d.application) d.application, d.id, d.digest, d.version AS label
           FROM deployment d JOIN promotion p ON p.product = d.product AND p.environment = d.environment
           WHERE p.release_id = $1 AND p.status <> 'SUCCEEDED'
           ORDER BY d.application, d.at DESC, d.id DESC`,
    values: [rollbackId],
  });
  return Object.fromEntries(rows.map(({ application, ...live }) => [application, live]));
}

/**
 * How long a promotion takes in each environment: p95 of the newest hundred that succeeded, in milliseconds. While people review its
 * pull request nothing of it is under way: that time does not count.
 * @param share of them that took no longer, from 0 to 1
 */
export async function loadRunway(
  client: Pool | PoolClient,
  product: string,
  environments: string[],
  share = 0.95,
): Promise<Record<string, number>> {
  const { rows } = await client.query<{ environment: string; took: number }>(
    `SELECT e.environment, percentile_cont($3) WITHIN GROUP (ORDER BY p.took) AS took
     FROM unnest($2::text[]) AS e(environment), LATERAL (
       SELECT greatest(0, extract(epoch FROM ended_at - started_at - coalesce(r.review, interval '0')) * 1000)::float AS took
       FROM promotion m LEFT JOIN LATERAL (
         SELECT max(q.merged_at) - min(q.opened_at) AS review FROM pull_request q
         WHERE q.release_id = m.release_id AND q.position = m.position AND q.attempt = m.attempt AND q.state = 'MERGED'
           AND q.merged_at > q.opened_at) AS r ON true
       WHERE product = $1 AND environment = e.environment AND status = 'SUCCEEDED'
       ORDER BY ended_at DESC LIMIT 100) AS p
     GROUP BY e.environment`,
    [product, environments, share],
  );
  return Object.fromEntries(rows.map((row) => [row.environment, row.took]));
}
