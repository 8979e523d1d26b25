import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import type { Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { migrations } from '../../migrations/index.ts';
import { sturdyDriver } from '../connections.ts';
import type { Seams } from '../seams.ts';
import { BadVersionRow, EnvironmentHoldRow } from './control-rows.ts';
import { ApprovalLinkRow, SigningKeyRow } from './approval-rows.ts';
import { AccessClockRow, ApiTokenRow, AuditLogRow, RoleGrantRow } from './access-rows.ts';
import { DEFINITION_ROWS, DefinitionClockRow, DefinitionRevisionRow } from './definition-rows.ts';
import {
  DeploymentRow,
  HealthReportRow,
  IdempotencyKeyRow,
  OutboxRow,
  ReleaseEventRow,
  RollbackRow,
  ObservationRow,
} from './log-rows.ts';
import { WebhookDeliveryRow } from './delivery-rows.ts';
import { SecretRow } from './secret-rows.ts';
import { PromotionRow, ReleasePlanRow, ReleaseRow } from './release-rows.ts';

export const ENTITIES = [
  ...Object.values(DEFINITION_ROWS),
  DefinitionRevisionRow,
  DefinitionClockRow,
  ReleaseRow,
  ReleasePlanRow,
  PromotionRow,
  ReleaseEventRow,
  OutboxRow,
  DeploymentRow,
  HealthReportRow,
  IdempotencyKeyRow,
  RollbackRow,
  ObservationRow,
  EnvironmentHoldRow,
  BadVersionRow,
  ApiTokenRow,
  RoleGrantRow,
  AccessClockRow,
  AuditLogRow,
  SecretRow,
  ApprovalLinkRow,
  SigningKeyRow,
  WebhookDeliveryRow,
];

/** Tables are made by migrations only; `synchronize` stays off. */
export function createDataSource(
  url: string,
  options: { poolSize?: number; applicationName?: string; seams?: Seams | null } = {},
): DataSource {
  return new DataSource({
    type: 'postgres',
    url,
    entities: ENTITIES,
    migrations,
    migrationsTableName: 'sluice_migration',
    applicationName: options.applicationName ?? 'sluice',
    poolSize: options.poolSize ?? 10,
    poolErrorHandler: () => {
      // A connection that broke while idle: the pool opens another one when it is needed.
    },
    driver: sturdyDriver,
    extra: { keepAlive: true, connectionTimeoutMillis: 10_000, seams: options.seams ?? null },
  });
}

/** The pool underneath: for prepared statements, LISTEN and the sessions of one decision. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

/** The session of a transaction: for what is written in SQL and belongs to it. */
export async function clientOf({ queryRunner }: EntityManager): Promise<PoolClient> {
  return (await queryRunner?.connect()) as PoolClient;
}

const MIGRATION_LOCK = 7_265_031;

/**
 * Brings the tables to this version; several processes starting at once take turns. A server that says that it is starting up, as
 * after a crash, is waited for.
 */
export async function migrate(url: string): Promise<void> {
  const dataSource = await opened(url);
  const client = await poolOf(dataSource).connect();
  try {
    await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
    await dataSource.runMigrations({ transaction: 'each' });
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
  } finally {
    client.release();
    await dataSource.destroy();
  }
}

async function opened(url: string): Promise<DataSource> {
  for (const began = Date.now(); ; await sleep(STARTING_PAUSE)) {
    try {
      return await createDataSource(url, { poolSize: 2 }).initialize();
    } catch (error) {
      if ((error as { code?: string }).code !== CANNOT_CONNECT_NOW || Date.now() - began > STARTING_LIMIT) throw error;
    }
  }
}

/** Of PostgreSQL: it is starting up, recovering or shutting down. */
const CANNOT_CONNECT_NOW = '57P03';
/** In milliseconds. */
const STARTING_PAUSE = 300;
const STARTING_LIMIT = 60_000;
