import type { Pool, PoolClient } from 'pg';
import type { ReleasePlan } from '../core/plan.ts';
import type { ConcurrencyPolicy } from '../core/definitions.ts';
import type { Facts, LiveVersion, ReleaseKind, ReleaseState } from '../core/release.ts';
import type { PinnedContent } from '../drivers/driver.ts';
import type { ReleaseWindow } from '../core/windows/index.ts';
import type { DefinitionSnapshots } from './definition-snapshot.ts';
import { toState } from './release-shape.ts';
import type { PromotionRecord, ReleaseRecord } from './release-shape.ts';
import type { ReleaseIdentity } from './save-decisions.ts';

export interface FrozenRelease extends ReleaseIdentity {
  kind: ReleaseKind;
  concurrency: ConcurrencyPolicy;
  /** In the order of creation. */
  number: number;
  contents: Record<string, PinnedContent>;
}

export interface LoadedState {
  state: ReleaseState;
  revision: number;
}

/** What never changes of these releases; unknown ids are missing from the answer. */
export async function loadFrozen(client: Pool | PoolClient, ids: string[]): Promise<FrozenRelease[]> {
  const { rows } = await client.query<{
    id: string;
    number: string;
    kind: ReleaseKind;
    product: string;
    version: string;
    concurrency: ConcurrencyPolicy;
    plan: ReleasePlan;
    contents: Record<string, PinnedContent>;
  }>({
    name: 'load-frozen',
    text: `SELECT r.id, r.number, r.kind, r.product, r.version, r.concurrency, p.plan, p.contents
           FROM release r JOIN release_plan p ON p.release_id = r.id WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return rows.map((row) => ({ ...row, number: Number(row.number) }));
}

/** The current state of these releases, each with the revision that a save of it must find. */
export async function loadStates(client: Pool | PoolClient, ids: string[]): Promise<LoadedState[]> {
  const { rows } = await client.query<ReleaseRecord & { revision: number; promotions: PromotionRecord[] }>({
    name: 'load-states',
    text: `SELECT r.id, r.status, r.trigger->>'actor' AS initiator, r.revision, r.sequence, r.created_at, r.started_at, r.ended_at, r.deadline, r.wake_at, r.rest,
             (SELECT jsonb_agg(p) FROM promotion p WHERE p.release_id = r.id) AS promotions
           FROM release r WHERE r.id = ANY($1)`,
    values: [ids],
  });
  return rows.map((row) => ({ state: toState(row, row.promotions), revision: row.revision }));
}

interface OpenRelease {
  id: string;
  product: string;
  kind: ReleaseKind;
  number: string;
  started: boolean;
  holding: string[] | null;
  ahead: string[] | null;
  definitions: string;
}

/** Locks the products' order of releases until the transaction ends; in one order, so that nobody waits in a circle. */
export function lockProductsStatement(products: Iterable<string>): string {
  const keys = [...new Set(products)].sort().map(productLock);
  return `SELECT pg_advisory_xact_lock(${PRODUCT_LOCKS}, key) FROM unnest(ARRAY[${keys.join(',')}]::integer[]) AS key ORDER BY key`;
}

const PRODUCT_LOCKS = 7_265_032;

/** FNV-1a, 32 bits, signed: two products that share a key merely take turns. */
function productLock(product: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < product.length; index += 1) {
    hash = Math.imul(hash ^ product.charCodeAt(index), 0x01000193);
  }
  return hash | 0;
}

/** Facts for these releases, read under their products' locks: who is before them, who is at work where, which windows hold. */
export async function loadFacts(
  client: PoolClient,
  releases: Pick<FrozenRelease, 'id' | 'kind' | 'product' | 'number' | 'concurrency'>[],
  definitions: DefinitionSnapshots,
): Promise<Map<string, Facts>> {
  const { rows } = await client.query<OpenRelease>({
    name: 'load-facts',
    text: `SELECT r.id, r.product, r.kind, r.number, r.started_at IS NOT NULL AS started,
             array_agg(p.environment) FILTER (WHERE p.holds) AS holding,
             array_agg(p.environment) FILTER (WHERE p.ended_at IS NULL AND p.environment IS NOT NULL) AS ahead,
             (SELECT revision FROM definition_clock) AS definitions
           FROM release r JOIN promotion p ON p.release_id = r.id
           WHERE r.product = ANY($1) AND r.ended_at IS NULL
           GROUP BY r.id ORDER BY r.number`,
    values: [[...new Set(releases.map((each) => each.product))]],
  });
  const snapshot = await definitions.current(rows[0]?.definitions);
  const facts = new Map<string, Facts>();
  for (const release of releases) {
    const windows: Record<string, ReleaseWindow[]> = {};
    for (const environment of rows.find((each) => each.id === release.id)?.ahead ?? []) {
      const selected = snapshot.windowsFor(release.product, environment);
      if (selected.length > 0) windows[environment] = selected;
    }
    const strict = Object.keys(windows).filter((each) => windows[each]?.some(({ spec }) => spec.runway));
    const runway = strict.length > 0 ? await loadRunway(client, release.product, strict) : {};
    const live = release.kind === 'ROLLBACK' ? await loadLive(client, release.id) : {};
    facts.set(release.id, { ...turnAndRoom(release, rows), windows, runway, live });
  }
  return facts;
}

/** The newest deployment of every application that the rollback brings back. */
async function loadLive(client: PoolClient, rollbackId: string): Promise<Record<string, LiveVersion>> {
  const { rows } = await client.query<LiveVersion & { application: string }>({
    name: 'load-live',
    text: `SELECT DISTINCT ON (d.application) d.application, d.id, d.digest, d.version AS label
           FROM deployment d JOIN promotion p ON p.product = d.product AND p.environment = d.environment
           WHERE p.release_id = $1 AND p.started_at IS NULL
           ORDER BY d.application, d.at DESC, d.id DESC`,
    values: [rollbackId],
  });
  return Object.fromEntries(rows.map(({ application, ...live }) => [application, live]));
}

/** How long a promotion takes in each environment: p95 of the newest hundred that succeeded, in milliseconds. */
export async function loadRunway(
  client: Pool | PoolClient,
  product: string,
  environments: string[],
): Promise<Record<string, number>> {
  const { rows } = await client.query<{ environment: string; p95: number }>(
    `SELECT e.environment, percentile_cont(0.95) WITHIN GROUP (ORDER BY p.took) AS p95
     FROM unnest($2::text[]) AS e(environment), LATERAL (
       SELECT (extract(epoch FROM ended_at - started_at) * 1000)::float AS took FROM promotion
       WHERE product = $1 AND environment = e.environment AND status = 'SUCCEEDED'
       ORDER BY ended_at DESC LIMIT 100) AS p
     GROUP BY e.environment`,
    [product, environments],
  );
  return Object.fromEntries(rows.map((row) => [row.environment, row.p95]));
}

/**
 * QUEUE and SUPERSEDE: one release of a product at a time, in the order of creation. PIPELINE: releases overlap, and each
 * environment takes them in order. TERMINATE: they overlap too; whoever is in the way is ended by the command. A rollback stands
 * in no line: it waits for nobody's turn and nobody for its, only who is at work in an environment has it alone.
 */
function turnAndRoom(
  release: Pick<FrozenRelease, 'id' | 'kind' | 'product' | 'number' | 'concurrency'>,
  open: OpenRelease[],
): Pick<Facts, 'behind' | 'heldBy'> {
  const others = open.filter((each) => each.product === release.product && each.id !== release.id);
  const heldBy: Record<string, string> = {};
  for (const other of others) {
    for (const environment of other.holding ?? []) heldBy[environment] = other.id;
    const inLine = release.kind === 'FORWARD' && other.kind === 'FORWARD';
    if (inLine && release.concurrency === 'PIPELINE' && Number(other.number) < release.number) {
      for (const environment of other.ahead ?? []) heldBy[environment] ??= other.id;
    }
  }
  const oneAtATime =
    release.kind === 'FORWARD' && (release.concurrency === 'QUEUE' || release.concurrency === 'SUPERSEDE');
  const ahead = others.filter((each) => each.kind === 'FORWARD');
  const before = ahead.find((each) => each.started) ?? ahead.find((each) => Number(each.number) < release.number);
  return { behind: oneAtATime ? (before?.id ?? null) : null, heldBy };
}
