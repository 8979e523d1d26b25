import type { Pool, PoolClient } from 'pg';
import type { DataSource, EntityManager } from 'typeorm';
import type { ForgeUse } from '../core/forges.ts';
import type { Purpose } from '../core/receiver/delivery.ts';
import { SCHEMES } from '../core/receiver/scheme.ts';
import type { Scheme } from '../core/receiver/scheme.ts';
import type { SecretShown, SecretUse, WebhookUse } from '../core/secrets.ts';
import { otherUse } from '../core/secrets.ts';
import { PermanentError } from '../drivers/driver.ts';
import type { ForgeSecret, GitLogin, OpenedSecret, SecretSource } from '../drivers/secret-source.ts';
import { openedSecrets } from '../opened-secrets.ts';
import { type Sealed, type Sealing, SealingError } from './sealing.ts';
import { doneBy } from '../core/done-by.ts';

type Connection = Pick<Pool | PoolClient, 'query'>;
type SealedRow = Sealed & { name: string; use: SecretUse };

/** A secret of a source, opened. */
export interface WebhookKey {
  name: string;
  value: string;
  use: WebhookUse;
}

/** The receivers whose messages a secret verifies. */
const purposesOf = ({ scheme, decidesAs }: WebhookUse): readonly Purpose[] =>
  scheme !== undefined ? SCHEMES[scheme].purposes : [decidesAs === undefined ? 'rollouts' : 'approvals'];

const SHOWN = `name, description, use, revision, key_id AS "keyId", created_at AS "createdAt",
  updated_at AS "updatedAt", updated_by AS "updatedBy"`;
const SEALED = 'name, use, key_id AS "keyId", nonce, sealed';

/** In the order of their names, without their values; `key` is the name from which the page goes on. */
export async function listSecrets(
  connection: Connection,
  { limit, key, backwards }: { limit: number; key?: string; backwards?: boolean },
): Promise<SecretShown[]> {
  const { rows } = await connection.query<SecretShown>(
    backwards
      ? `SELECT ${SHOWN} FROM secret WHERE $1::text IS NULL OR name < $1 ORDER BY name DESC LIMIT $2`
      : `SELECT ${SHOWN} FROM secret WHERE $1::text IS NULL OR name > $1 ORDER BY name LIMIT $2`,
    [key ?? null, limit],
  );
  return rows;
}

/** What a secret that verified something is for; undefined when it is there no more, or for something else by now. */
export async function webhookUse(connection: Connection, name: string): Promise<WebhookUse | undefined> {
  const { rows } = await connection.query<{ use: SecretUse }>('SELECT use FROM secret WHERE name = $1', [name]);
  const use = rows[0]?.use;
  return use?.kind === 'WEBHOOK' ? use : undefined;
}

/** What secrets of a scheme are for; no value is opened. */
export async function usesOfScheme(connection: Connection, scheme: Scheme): Promise<WebhookUse[]> {
  const { rows } = await connection.query<{ use: WebhookUse }>(
    `SELECT use FROM secret WHERE use->>'kind' = 'WEBHOOK' AND use->>'scheme' = $1 ORDER BY name`,
    [scheme],
  );
  return rows.map(({ use }) => use);
}

/** What these secrets are for; names that are none are left out. */
export async function secretUses(
  db: DataSource | EntityManager | Pool | PoolClient,
  names: readonly string[],
): Promise<Map<string, SecretUse>> {
  if (names.length === 0) return new Map();
  type Row = { name: string; use: SecretUse };
  const text = 'SELECT name, use FROM secret WHERE name = ANY($1)';
  const found = (await (db as EntityManager).query(text, [names])) as Row[] | { rows: Row[] };
  const rows = Array.isArray(found) ? found : found.rows;
  return new Map(rows.map(({ name, use }) => [name, use]));
}

/** Which repositories have a forge, for `forgeFor`; no value is opened. */
export async function forgeUses(
  db: DataSource | EntityManager | Pool | PoolClient,
): Promise<{ name: string; use: ForgeUse }[]> {
  type Row = { name: string; use: ForgeUse };
  const text = `SELECT name, use FROM secret WHERE use->>'kind' = 'FORGE' ORDER BY name`;
  const found = (await (db as EntityManager).query(text)) as Row[] | { rows: Row[] };
  return Array.isArray(found) ? found : found.rows;
}

/** Secrets whose hosts are assumed, because no person has named any since hosts are required; by name. */
export async function secretsWithAssumedHosts(pool: Pool): Promise<{ name: string; hosts: string[] }[]> {
  const { rows } = await pool.query<{ name: string; hosts: string[] }>(
    `SELECT name, use->'hosts' AS hosts FROM secret WHERE use ? 'assumed' ORDER BY name`,
  );
  return rows;
}

/** For change: another command that sets the same secret waits. */
export async function lockSecret(client: Connection, name: string): Promise<SecretShown | undefined> {
  const { rows } = await client.query<SecretShown>(`SELECT ${SHOWN} FROM secret WHERE name = $1 FOR UPDATE`, [name]);
  return rows[0];
}

/** A secret that is to be stored. */
export interface SecretWritten {
  name: string;
  description: string | null;
  use: SecretUse;
  /** Undefined: the value stays as it is. */
  sealed?: Sealed;
  at: Date;
  by: string | null;
}

/** Writes a new secret or a new revision; without `sealed` the value stays. */
export async function saveSecret(client: Connection, given: SecretWritten): Promise<SecretShown> {
  const { name, description, use, sealed, at, by } = given;
  const values = [name, description, JSON.stringify(use), at, by];
  const { rows } = await (sealed
    ? client.query<SecretShown>(
        `INSERT INTO secret AS s (name, description, use, created_at, updated_at, updated_by, key_id, nonce, sealed, revision)
         VALUES ($1, $2, $3, $4, $4, $5, $6, $7, $8, 1)
         ON CONFLICT (name) DO UPDATE SET description = $2, use = $3, updated_at = $4, updated_by = $5,
           key_id = $6, nonce = $7, sealed = $8, revision = s.revision + 1
         RETURNING ${SHOWN}`,
        [...values, sealed.keyId, sealed.nonce, sealed.sealed],
      )
    : client.query<SecretShown>(
        `UPDATE secret SET description = $2, use = $3, updated_at = $4, updated_by = $5 WHERE name = $1 RETURNING ${SHOWN}`,
        values,
      ));
  return rows[0] as SecretShown;
}

/** False: there was none. */
export async function deleteSecret(client: Connection, name: string): Promise<boolean> {
  const { rowCount } = await client.query('DELETE FROM secret WHERE name = $1', [name]);
  return rowCount === 1;
}

/** Those that another key than this one sealed, locked. `name`: that one alone. */
export async function sealedOtherwise(client: Connection, keyId: string, name: string | null): Promise<SealedRow[]> {
  const { rows } = await client.query<SealedRow>(
    `SELECT ${SEALED} FROM secret WHERE key_id <> $1 AND ($2::text IS NULL OR name = $2) ORDER BY name FOR UPDATE`,
    [keyId, name],
  );
  return rows;
}

/** The value is the same: its revision stays. */
export async function saveSealed(client: Connection, name: string, { keyId, nonce, sealed }: Sealed): Promise<void> {
  await client.query('UPDATE secret SET key_id = $2, nonce = $3, sealed = $4 WHERE name = $1', [
    name,
    keyId,
    nonce,
    sealed,
  ]);
}

/** Opens secrets at the moment of their use, each for what it is meant for. Whatever was opened is masked from then on. */
export class Vault implements SecretSource {
  readonly #pool: Pool;
  readonly #sealing: Sealing;

  constructor(pool: Pool, sealing: Sealing) {
    this.#pool = pool;
    this.#sealing = sealing;
  }

  /** Keys that sealed stored secrets and are not here, with how many secrets: this process cannot open these. */
  async missingKeys(): Promise<{ keyId: string; secrets: number }[]> {
    const { rows } = await this.#pool.query<{ keyId: string; secrets: number }>(
      'SELECT key_id AS "keyId", count(*)::int AS secrets FROM secret GROUP BY key_id ORDER BY key_id',
    );
    return rows.filter(({ keyId }) => !this.#sealing.has(keyId));
  }

  async open(names: readonly string[]): Promise<Map<string, OpenedSecret>> {
    const rows = await this.#sealed('name = ANY($1)', [names]);
    const opened = new Map<string, OpenedSecret>();
    for (const name of names) {
      const row = rows.find((each) => each.name === name);
      if (!row)
        throw new PermanentError(
          `there is no secret "${name}": set it with ${doneBy('secretSet', `secret set ${name}`)}`,
        );
      if (row.use.kind !== 'REFERENCE') throw new PermanentError(otherUse(name, row.use.kind));
      const { hosts, products, assumed } = row.use;
      opened.set(name, { value: this.#open(row), hosts, ...(products && { products }), ...(assumed && { assumed }) });
    }
    return opened;
  }

  async gitLogins(): Promise<Record<string, GitLogin>> {
    const rows = await this.#sealed(`use->>'kind' = 'GIT'`, []);
    const found: Record<string, GitLogin> = {};
    for (const row of rows) {
      const { url, username } = row.use as Extract<SecretUse, { kind: 'GIT' }>;
      // Opened only when a caller reads this address: a damaged one disturbs no other repository.
      Object.defineProperty(found, url, {
        enumerable: true,
        get: () => ({ username: username ?? undefined, password: this.#open(row) }),
      });
    }
    return found;
  }

  async forgeSecrets(): Promise<ForgeSecret[]> {
    const rows = await this.#sealed(`use->>'kind' = 'FORGE'`, []);
    return rows.map((row) => ({ name: row.name, use: row.use as ForgeUse, open: () => this.#open(row) }));
  }

  async signingKey(name: string): Promise<{ name: string; value: string }> {
    const [row] = await this.#sealed('name = $1', [name]);
    if (!row)
      throw new PermanentError(
        `there is no secret "${name}": set it with ${doneBy('secretSet', `secret set ${name} --signs-commits`)}`,
      );
    if (row.use.kind !== 'SIGNING') throw new PermanentError(`secret "${name}" is not for signing commits`);
    return { name, value: this.#open(row) };
  }

  /**
   * The keys that sign for a source, for one purpose: several while one is being replaced by the next. `broken` is why not all
   * of them are here.
   */
  async webhookSecrets(
    source: string,
    purpose: Purpose,
  ): Promise<{ keys: WebhookKey[]; broken: PermanentError | null }> {
    const all = await this.#sealed(`use->>'kind' = 'WEBHOOK' AND use->>'source' = $1`, [source]);
    const rows = all.filter(({ use }) => purposesOf(use as WebhookUse).includes(purpose));
    const keys: WebhookKey[] = [];
    let broken: PermanentError | null = null;
    for (const row of rows) {
      try {
        keys.push({ name: row.name, value: this.#open(row), use: row.use as WebhookUse });
      } catch (error) {
        if (!(error instanceof PermanentError)) throw error;
        broken = error;
      }
    }
    return { keys, broken };
  }

  async #sealed(where: string, values: unknown[]): Promise<SealedRow[]> {
    const { rows } = await this.#pool.query<SealedRow>(
      `SELECT ${SEALED} FROM secret WHERE ${where} ORDER BY name`,
      values,
    );
    return rows;
  }

  #open(row: SealedRow): string {
    try {
      const value = this.#sealing.open(row.name, row);
      openedSecrets.remember(value);
      return value;
    } catch (error) {
      // A step that fails for this fails until the operator has put it right.
      if (error instanceof SealingError) throw new PermanentError(error.message);
      throw error;
    }
  }
}

/** Who set it last; null: a caller without a name, or there is no such secret. */
export async function lastSetBy(pool: Pool, name: string): Promise<string | null> {
  const { rows } = await pool.query<{ by: string | null }>('SELECT updated_by AS by FROM secret WHERE name = $1', [
    name,
  ]);
  return rows[0]?.by ?? null;
}
