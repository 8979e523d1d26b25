import { setTimeout as sleep } from 'node:timers/promises';
import 'reflect-metadata';
import type { Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import type { EntityManager } from 'typeorm';
import { migrations } from '../../migrations/index.ts';
import {
  BY_INDEX,
  clientConfig,
  DEFAULT_STATEMENT_MS,
  PATIENT,
  SturdyClient,
  sturdyDriver,
  timesOf,
  whileHolding,
} from '../connections.ts';
import type { ConnectionTimes } from '../connections.ts';
import { untilWon } from '../lost-transactions.ts';
import type { Seams } from '../seams.ts';
import { LOCK_MIGRATION } from './locks.ts';
import { BadVersionRow, EnvironmentHoldRow } from './control-rows.ts';
import { ApprovalLinkRow, SigningKeyRow } from './approval-rows.ts';
import { AccessClockRow, ApiTokenRow, AuditLogRow, RoleGrantRow, WebSessionRow } from './access-rows.ts';
import { DEFINITION_ROWS, DefinitionClockRow, DefinitionRevisionRow } from './definition-rows.ts';
import {
  DeploymentRow,
  DeploymentReportRow,
  HealthReportRow,
  IdempotencyKeyRow,
  OutboxRow,
  ReleaseEventRow,
  RollbackRow,
  ObservationRow,
} from './log-rows.ts';
import { CommitStatusRow, MergeGroupRow } from './status-rows.ts';
import { WebhookDeliveryRow } from './delivery-rows.ts';
import { ActionLogRow, BegunCommandRow } from './command-rows.ts';
import { ForgeBudgetRow } from './forge-rows.ts';
import { GitSourceStatusRow, SyncedDefinitionRow } from './git-source-rows.ts';
import { HintRow, WatchedRepositoryRow } from './news-rows.ts';
import { SecretRow } from './secret-rows.ts';
import { CandidateRow, GitIdentityRow, TriggerCursorRow, TriggerPauseRow } from './trigger-rows.ts';
import { PullRequestRow } from './pull-request-rows.ts';
import { ContentRow, PromotionRow, ReleaseCommitRow, ReleasePlanRow, ReleaseRow } from './release-rows.ts';

export const ENTITIES = [
  ...Object.values(DEFINITION_ROWS),
  DefinitionRevisionRow,
  DefinitionClockRow,
  ReleaseRow,
  ReleaseCommitRow,
  ReleasePlanRow,
  ContentRow,
  PromotionRow,
  ReleaseEventRow,
  OutboxRow,
  DeploymentRow,
  DeploymentReportRow,
  HealthReportRow,
  IdempotencyKeyRow,
  RollbackRow,
  ObservationRow,
  PullRequestRow,
  EnvironmentHoldRow,
  ActionLogRow,
  BegunCommandRow,
  ForgeBudgetRow,
  BadVersionRow,
  ApiTokenRow,
  RoleGrantRow,
  WebSessionRow,
  AccessClockRow,
  AuditLogRow,
  SecretRow,
  ApprovalLinkRow,
  SigningKeyRow,
  WebhookDeliveryRow,
  CommitStatusRow,
  MergeGroupRow,
  WatchedRepositoryRow,
  HintRow,
  TriggerCursorRow,
  CandidateRow,
  TriggerPauseRow,
  GitIdentityRow,
  GitSourceStatusRow,
  SyncedDefinitionRow,
];

export interface DataSourceOptions {
  poolSize?: number;
  applicationName?: string;
  times?: ConnectionTimes;
  seams?: Seams | null;
}

/** Tables are made by migrations only; `synchronize` stays off. */
export function createDataSource(url: string, options: DataSourceOptions = {}): DataSource {
  return new SluiceDataSource({
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
    extra: {
      ...clientConfig(options.times ?? timesOf(DEFAULT_STATEMENT_MS)),
      options: BY_INDEX,
      seams: options.seams ?? null,
    },
  });
}

type InTransaction<T> = (manager: EntityManager) => Promise<T>;
type Isolation = Parameters<DataSource['transaction']>[0];

/**
 * Its transactions hold a connection, and the pool knows of it: see `connections.ts`. One that lost to another transaction is made
 * again, with its work from the beginning.
 */
class SluiceDataSource extends DataSource {
  override transaction<T>(work: InTransaction<T>): Promise<T>;
  override transaction<T>(isolation: Isolation, work: InTransaction<T>): Promise<T>;
  override transaction<T>(first: Isolation | InTransaction<T>, second?: InTransaction<T>): Promise<T> {
    return untilWon(async () => {
      const undo: (() => void)[] = [];
      const held =
        (work: InTransaction<T>): InTransaction<T> =>
        (manager) => {
          undoing.set(manager, undo);
          return whileHolding(poolOf(this), () => work(manager));
        };
      try {
        return await (typeof first === 'function'
          ? super.transaction(held(first))
          : super.transaction(first, held(second as InTransaction<T>)));
      } catch (error) {
        for (const each of undo) each();
        throw error;
      }
    });
  }
}

const undoing = new WeakMap<EntityManager, (() => void)[]>();

/** `undo` runs when the transaction of `manager` fails: for what its work has noted outside of the database. */
export function whenUndone(manager: EntityManager, undo: () => void): void {
  undoing.get(manager)?.push(undo);
}

/** The pool underneath: for prepared statements, LISTEN and the sessions of one decision. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

/** The session of a transaction: for what is written in SQL and belongs to it. */
export async function clientOf({ queryRunner }: EntityManager): Promise<PoolClient> {
  return (await queryRunner?.connect()) as PoolClient;
}

/**
 * Brings the tables to this version; several processes starting at once take turns. A server that says that it is starting up, as
 * after a crash, is waited for. @returns how many migrations were run; 0: the tables were of this version already
 */
export async function migrate(url: string): Promise<number> {
  // The lock has a connection of its own: a holder of one of the pool's may not ask the pool for another one.
  const locking = await connected(url);
  try {
    await locking.query(LOCK_MIGRATION);
    const dataSource = await createDataSource(url, { poolSize: 2, times: PATIENT }).initialize();
    try {
      return (await dataSource.runMigrations({ transaction: 'each' })).length;
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await locking.end();
  }
}

async function connected(url: string): Promise<SturdyClient> {
  for (const began = Date.now(); ; await sleep(STARTING_PAUSE)) {
    const client = new SturdyClient({
      connectionString: url,
      application_name: 'sluice',
      seams: null,
      ...clientConfig(PATIENT),
    });
    try {
      await client.connect();
      return client;
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
