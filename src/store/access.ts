import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import { callerName } from '../core/access/index.ts';
import type { Grant, SubjectKind } from '../core/access/index.ts';
import { ApiTokenRow, RoleGrantRow } from '../entities/access-rows.ts';

/** A token as it is stored: with its hash, never with its text. */
export type ApiToken = ApiTokenRow;

/** A role that a subject has for some products and environments. */
export type RoleGrant = RoleGrantRow;

/** A page of tokens or grants, in the order of their ids. */
export interface AccessList {
  /** At most this many. */
  limit: number;
  /** The id from which the page goes on. */
  key?: string;
  /** Towards the beginning. */
  backwards?: boolean;
  subject?: string;
  /** Only what this holder has by name or through groups. */
  only?: Holder;
}

/** Whose tokens or grants are listed: by name, or through groups. */
export interface Holder {
  kind: Exclude<SubjectKind, 'GROUP'>;
  subject: string;
  groups: readonly string[];
  /** Only what one of these gave: a name that two have taken shows neither what the other one has. */
  givenBy?: readonly string[];
}

/** Where a write may happen: the caller's transaction. */
export async function insertToken(tx: EntityManager, token: ApiToken): Promise<void> {
  await tx.getRepository(ApiTokenRow).insert(token);
  await tick(tx);
}

/** @returns the token as it is now; null when there is none. Again changes nothing. */
export async function revokeToken(
  tx: EntityManager,
  id: string,
  by: string | null,
  at: Date,
): Promise<{ before: ApiToken; after: ApiToken } | null> {
  const tokens = tx.getRepository(ApiTokenRow);
  const before = await tokens.findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  if (!before) return null;
  if (before.revokedAt) return { before, after: before };
  await tokens.update({ id }, { revokedAt: at, revokedBy: by });
  await tick(tx);
  return { before, after: Object.assign(new ApiTokenRow(), before, { revokedAt: at, revokedBy: by }) };
}

/** In the caller's transaction; other processes know of it within a second. */
export async function insertGrant(tx: EntityManager, grant: RoleGrant): Promise<void> {
  await tx.getRepository(RoleGrantRow).insert(grant);
  await tick(tx);
}

/** In the caller's transaction; other processes know of it within a second. */
export async function deleteGrant(tx: EntityManager, id: string): Promise<void> {
  await tx.getRepository(RoleGrantRow).delete({ id });
  await tick(tx);
}

/** By its id; null when there is none. */
export function getToken(tx: EntityManager, id: string): Promise<ApiToken | null> {
  return tx.getRepository(ApiTokenRow).findOneBy({ id });
}

/** By its id; null when there is none. */
export function getGrant(tx: EntityManager, id: string): Promise<RoleGrant | null> {
  return tx.getRepository(RoleGrantRow).findOneBy({ id });
}

/** A page of tokens, revoked and expired ones too. */
export function listTokens(tx: EntityManager, list: AccessList): Promise<ApiToken[]> {
  return page(tx, ApiTokenRow, list, 'COLLATE "C"');
}

/** A page of grants. */
export function listGrants(tx: EntityManager, list: AccessList): Promise<RoleGrant[]> {
  return page(tx, RoleGrantRow, list, '');
}

function page<T extends { id: string; subject: string }>(
  tx: EntityManager,
  row: new () => T,
  { limit, key, backwards, subject, only }: AccessList,
  collation: string,
): Promise<T[]> {
  const query = tx.getRepository(row).createQueryBuilder('r');
  if (key !== undefined) query.andWhere(`r.id ${collation} ${backwards ? '<' : '>'} :key`, { key });
  if (subject !== undefined) query.andWhere('r.subject = :subject', { subject });
  if (only) {
    const own =
      "(r.subjectKind = :kind AND r.subject = :name) OR (r.subjectKind = 'GROUP' AND r.subject = ANY(:groups))";
    query.andWhere(`(${own})`, { kind: only.kind, name: only.subject, groups: only.groups });
    if (only.givenBy) query.andWhere('r.createdBy = ANY(:givenBy)', { givenBy: only.givenBy });
  }
  return query
    .orderBy(`r.id ${collation}`.trim(), backwards ? 'DESC' : 'ASC')
    .take(limit)
    .getMany();
}

/** Whether one was ever made, revoked ones included: authentication that began does not end by itself. */
export function hasTokens(db: DataSource | EntityManager): Promise<boolean> {
  return db.getRepository(ApiTokenRow).exists();
}

/** A token by its id; null when there is none. */
export async function readToken(pool: Pool, id: string): Promise<ApiToken | null> {
  const { rows } = await pool.query<ApiToken>({
    name: 'read-token',
    text: `SELECT id, hash, name, subject_kind AS "subjectKind", subject, groups, makers, scope, created_at AS "createdAt",
             created_by AS "createdBy", expires_at AS "expiresAt", revoked_at AS "revokedAt", revoked_by AS "revokedBy",
             last_used_at AS "lastUsedAt"
           FROM api_token WHERE id = $1`,
    values: [id],
  });
  return rows[0] ?? null;
}

/** What a service account of this name has already. */
export interface AccountHoldings {
  grants: Grant[];
  /** Of its tokens; null: whatever is granted to it. */
  scopes: (Grant[] | null)[];
  /** A webhook secret decides in its name. */
  decides: boolean;
  /** A rule of an approval names it. */
  named: boolean;
}

/** Everything that already belongs to a service account of this name. */
export async function readAccount(client: Pick<PoolClient, 'query'>, subject: string): Promise<AccountHoldings> {
  const { rows } = await client.query<AccountHoldings>({
    name: 'read-account',
    text: `SELECT
      (SELECT coalesce(jsonb_agg(jsonb_build_object('role', role, 'products', products, 'environments', environments)), '[]')
         FROM role_grant WHERE subject_kind = 'SERVICE_ACCOUNT' AND subject = $1) AS grants,
      (SELECT coalesce(jsonb_agg(scope), '[]') FROM api_token WHERE subject_kind = 'SERVICE_ACCOUNT' AND subject = $1) AS scopes,
      EXISTS (SELECT 1 FROM secret WHERE use->>'decidesAs' = $1) AS decides,
      EXISTS (
        SELECT 1 FROM (
          SELECT spec AS rules FROM promotion_flow UNION ALL SELECT spec FROM promotion_workflow
          UNION ALL SELECT p.plan FROM release r JOIN release_plan p ON p.release_id = r.id WHERE r.ended_at IS NULL) asked
        WHERE jsonb_path_exists(rules, '$.**.users[*] ? (@ == $name)', jsonb_build_object('name', $2::text))) AS named`,
    values: [subject, callerName('SERVICE_ACCOUNT', subject)],
  });
  return rows[0] as AccountHoldings;
}

/** To the minute: a token that is used all the time is not written all the time. */
export async function noteUse(pool: Pool, id: string, at: Date): Promise<void> {
  await pool.query(
    `UPDATE api_token SET last_used_at = $2
     WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')`,
    [id, at],
  );
}

/** What is granted to this holder, by name and through groups. */
export async function readGrants(
  pool: Pick<Pool | PoolClient, 'query'>,
  { kind, subject, groups }: Holder,
): Promise<Grant[]> {
  const { rows } = await pool.query<Grant>({
    name: 'read-grants',
    text: `SELECT role, products, environments FROM role_grant
           WHERE (subject_kind = $1 AND subject = $2) OR (subject_kind = 'GROUP' AND subject = ANY($3::text[]))
           ORDER BY id`,
    values: [kind, subject, groups],
  });
  return rows;
}

/** Changes whenever tokens, grants or sessions do. */
export async function accessRevision(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ revision: string }>('SELECT revision FROM access_clock');
  return rows[0]?.revision ?? '0';
}

/** Other processes look again within a second: at their memory, and at what is open. */
export async function tick(tx: Pick<EntityManager, 'query'>): Promise<void> {
  await tx.query('UPDATE access_clock SET revision = revision + 1');
}
