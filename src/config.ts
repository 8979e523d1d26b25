import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { isLoopback } from './loopback.ts';
import type { CacheLimits } from './drivers/git/cache.ts';
import { DEFAULT_PROTOCOLS, type Protocol } from './drivers/git/address.ts';
import type { GitCredentials } from './drivers/git/credentials.ts';
import { LOOPBACK } from './drivers/network/allowed.ts';
import type { Armed } from './faults.ts';
import { SETTINGS } from './settings.ts';
import type { AUTH_MODES, LOG_LEVELS, ROLES, Setting, Values } from './settings.ts';

/** The only reader of the environment. Everything else is handed a Config. */
export interface Config {
  role: Role;
  host: string;
  /** 0: any free port. */
  port: number;
  /** Absent: the embedded PostgreSQL. */
  databaseUrl?: string;
  /** Absent: the queue lives in PostgreSQL. */
  redisUrl?: string;
  /** Absolute. */
  dataDir: string;
  concurrency: number;
  queuePrefix: string;
  lockDurationMs: number;
  stalledIntervalMs: number;
  sweepIntervalMs: number;
  /** How often each target is asked whether it still holds what was promoted to it; 0: only before something is decided on it. */
  driftIntervalMs: number;
  /** How long after the end of a release the logs of its actions are kept; 0: for good. */
  actionLogDays: number;
  logLevel: LogLevel;
  publicUrl?: string;
  /** Signs approval links; absent: a key that is made once and kept in the database. */
  signingKey?: string;
  databasePoolSize: number;
  /** How lists and the log are read. */
  reads: {
    /** Connections of their own. */
    poolSize: number;
    /** Of one caller at once. */
    perCaller: number;
    /** Milliseconds that one may take. */
    timeoutMs: number;
  };
  /** How long PostgreSQL works on one statement; the other limits of a connection follow from it. */
  statementTimeoutMs: number;
  git: {
    cacheDir: string;
    authorName: string;
    authorEmail: string;
    /** Branches of pull requests begin so; without a slash at its end. */
    branchPrefix: string;
    credentials: GitCredentials;
    protocols: readonly Protocol[];
    cacheLimits: CacheLimits;
  };
  /** CIDRs, addresses and names that definitions may make this server call, besides public addresses. */
  allowedNetworks: readonly string[];
  /** Absolute paths of programs that workflows may run. */
  commands: readonly string[];
  /** 32 bytes each, in base64: the one that seals secrets first, then those that may still open them. */
  encryptionKeys: readonly string[];
  limits: {
    /** Largest request body. */
    bodyBytes: number;
    /** Most that one operation may cost; see `costOf`. */
    cost: number;
    /** What one operation may turn out to be while it runs. */
    budget: {
      /** Most objects, and fields that are selected of them. */
      values: number;
      /** Largest answer, in bytes, as it is about to be written. */
      bytes: number;
      /** Milliseconds that an operation runs before others have their turn. */
      sliceMs: number;
    };
    /** Operations that one caller may ask for within ten seconds; 0: as many as they like. */
    operations: number;
    /** Open connections of this process, of whatever kind. */
    connections: number;
    /** WebSockets and event streams that one caller may hold open. */
    streams: number;
    /** Subscriptions that one caller may hold open. */
    subscriptions: number;
    /** How long a client may take to send its request, in milliseconds. */
    requestMs: number;
  };
  /** Origins of other sites whose pages may use the API, e.g. `https://portal.example.com`. */
  allowedOrigins: readonly string[];
  /** CIDRs and addresses of proxies whose `X-Forwarded-For` is believed. */
  trustedProxies: readonly string[];
  auth: AuthConfig;
  /** For fault injection alone: the process kills itself there. */
  fault?: Armed;
}

export type Role = (typeof ROLES)[number];
export type LogLevel = (typeof LOG_LEVELS)[number];

/** `auto`: callers are asked who they are as soon as there is a way to say it: OIDC, an admin token, or a first token. */
export type AuthMode = (typeof AUTH_MODES)[number];

export interface AuthConfig {
  mode: AuthMode;
  /** May everything; from the environment, for the first steps. */
  adminToken?: string;
  oidc?: OidcConfig;
  sessions: SessionLimits;
}

/** How long sessions of the web app last, in milliseconds. */
export interface SessionLimits {
  /** Unused. */
  idleMs: number;
  /** Altogether. */
  maxMs: number;
}

export interface OidcConfig {
  issuer: string;
  audience: string;
  /** The claim that names people. */
  nameClaim: string;
  groupsClaim: string;
  /** What Sluice is at the provider, for people who sign in; absent: callers bring tokens. */
  client?: OidcClient;
}

/** A client of an identity provider. */
export interface OidcClient {
  id: string;
  /** Absent: a public client. */
  secret?: string;
  /** Apart by spaces. */
  scopes: string;
}

/** A setting that cannot be used. The message is one line: the variable, the value, what is expected. */
export class ConfigError extends Error {
  override name = 'ConfigError';
}

/** Long enough that few operations notice, short enough that no other request does. */
const SLICE_MS = 10;

/**
 * Reads and checks every setting. An empty value counts as absent, as compose files write it.
 * @throws ConfigError naming the first variable that cannot be used.
 */
export function loadConfig(env: Record<string, string | undefined>): Config {
  const values = Object.fromEntries(
    Object.entries<Setting<unknown>>(SETTINGS).map(([name, spec]) => [name, read(name, spec, env[name])]),
  ) as Values;
  const dataDir = resolve(values.SLUICE_DATA_DIR!);
  const local = isLocal(values);
  const config: Config = {
    role: values.SLUICE_ROLE!,
    host: values.HOST!,
    port: values.PORT!,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    dataDir,
    concurrency: values.SLUICE_CONCURRENCY!,
    queuePrefix: values.SLUICE_QUEUE_PREFIX!,
    lockDurationMs: values.SLUICE_LOCK_DURATION_MS!,
    stalledIntervalMs: values.SLUICE_STALLED_INTERVAL_MS!,
    sweepIntervalMs: values.SLUICE_SWEEP_INTERVAL_MS!,
    driftIntervalMs: values.SLUICE_DRIFT_INTERVAL_MS!,
    actionLogDays: values.SLUICE_ACTION_LOG_DAYS!,
    logLevel: values.LOG_LEVEL!,
    signingKey: values.SLUICE_SIGNING_KEY,
    publicUrl: values.SLUICE_PUBLIC_URL?.replace(/\/+$/, ''),
    databasePoolSize: values.SLUICE_DATABASE_POOL_SIZE!,
    reads: {
      poolSize: values.SLUICE_READ_POOL_SIZE!,
      perCaller: values.SLUICE_READS_PER_CALLER!,
      timeoutMs: values.SLUICE_READ_TIMEOUT_MS!,
    },
    statementTimeoutMs: values.SLUICE_STATEMENT_TIMEOUT_MS!,
    git: {
      cacheDir: resolve(dataDir, 'git'),
      authorName: values.SLUICE_GIT_AUTHOR_NAME!,
      authorEmail: values.SLUICE_GIT_AUTHOR_EMAIL!,
      branchPrefix: values.SLUICE_BRANCH_PREFIX!,
      credentials: credentialsOf(values),
      protocols: values.SLUICE_GIT_PROTOCOLS ?? [...DEFAULT_PROTOCOLS, ...(local ? (['file'] as const) : [])],
      cacheLimits: {
        maxAgeMs: values.SLUICE_GIT_CACHE_DAYS! * 24 * 60 * 60 * 1000,
        maxBytes: values.SLUICE_GIT_CACHE_MAX_MB! * MiB,
        maxRepositoryBytes: values.SLUICE_GIT_MAX_REPOSITORY_MB! * MiB,
      },
    },
    commands: values.SLUICE_COMMANDS ?? [],
    allowedNetworks: values.SLUICE_ALLOWED_NETWORKS ?? (local ? LOOPBACK : []),
    encryptionKeys: encryptionKeys(values),
    limits: {
      bodyBytes: values.SLUICE_BODY_LIMIT_BYTES!,
      cost: values.SLUICE_QUERY_COST!,
      budget: {
        values: values.SLUICE_QUERY_VALUES!,
        bytes: values.SLUICE_ANSWER_LIMIT_BYTES!,
        sliceMs: SLICE_MS,
      },
      operations: values.SLUICE_RATE_LIMIT ?? (local ? 0 : 1_000),
      connections: values.SLUICE_MAX_CONNECTIONS!,
      streams: values.SLUICE_MAX_STREAMS!,
      subscriptions: values.SLUICE_MAX_SUBSCRIPTIONS!,
      requestMs: values.SLUICE_REQUEST_TIMEOUT_MS!,
    },
    allowedOrigins: values.SLUICE_ALLOWED_ORIGINS ?? [],
    trustedProxies: values.SLUICE_TRUSTED_PROXIES ?? [],
    auth: authOf(values),
    fault: values.SLUICE_FAULT,
  };
  return config;
}

const MiB = 1024 * 1024;

function authOf(values: Values): AuthConfig {
  const { SLUICE_AUTH, SLUICE_ADMIN_TOKEN, SLUICE_OIDC_ISSUER, SLUICE_OIDC_AUDIENCE, SLUICE_OIDC_CLIENT_ID } = values;
  if (SLUICE_OIDC_CLIENT_ID !== undefined && SLUICE_OIDC_ISSUER === undefined)
    throw new ConfigError('SLUICE_OIDC_ISSUER is not set: expected it beside SLUICE_OIDC_CLIENT_ID');
  if (SLUICE_OIDC_CLIENT_ID === undefined && values.SLUICE_OIDC_CLIENT_SECRET !== undefined)
    throw new ConfigError('SLUICE_OIDC_CLIENT_ID is not set: expected it beside SLUICE_OIDC_CLIENT_SECRET');
  if ((SLUICE_OIDC_ISSUER === undefined) !== (SLUICE_OIDC_AUDIENCE === undefined)) {
    const missing = SLUICE_OIDC_ISSUER === undefined ? 'SLUICE_OIDC_ISSUER' : 'SLUICE_OIDC_AUDIENCE';
    throw new ConfigError(
      `${missing} is not set: expected both SLUICE_OIDC_ISSUER and SLUICE_OIDC_AUDIENCE, or neither`,
    );
  }
  return {
    mode: SLUICE_AUTH!,
    adminToken: SLUICE_ADMIN_TOKEN,
    sessions: { idleMs: values.SLUICE_SESSION_IDLE_MS!, maxMs: values.SLUICE_SESSION_MAX_MS! },
    oidc:
      SLUICE_OIDC_ISSUER === undefined
        ? undefined
        : {
            issuer: SLUICE_OIDC_ISSUER,
            audience: SLUICE_OIDC_AUDIENCE!,
            nameClaim: values.SLUICE_OIDC_NAME_CLAIM!,
            groupsClaim: values.SLUICE_OIDC_GROUPS_CLAIM!,
            client: clientOf(values),
          },
  };
}

function clientOf(values: Values): OidcClient | undefined {
  const { SLUICE_OIDC_CLIENT_ID: id, SLUICE_OIDC_CLIENT_SECRET: secret, SLUICE_OIDC_SCOPES: scopes } = values;
  if (id === undefined) return undefined;
  // The provider sends people back to this address, and compares it with what was registered there.
  if (values.SLUICE_PUBLIC_URL === undefined && !isLoopback(values.HOST!))
    throw new ConfigError(
      'SLUICE_PUBLIC_URL is not set: expected it beside SLUICE_OIDC_CLIENT_ID, since people come back to it when they have signed in',
    );
  return { id, secret, scopes: scopes! };
}

/** What an operator should know of settings that hold; each is one line for the log of a start. */
export function warningsOf({
  auth,
  role,
  publicUrl,
  encryptionKeys,
}: Pick<Config, 'auth' | 'role' | 'publicUrl' | 'encryptionKeys'>): string[] {
  const deadLinks =
    'SLUICE_PUBLIC_URL is not set: links in pull requests and commit statuses lead to this worker, which has no pages. ' +
    'Set it to the address of a server with the role api';
  const anyAuthor =
    'SLUICE_OIDC_NAME_CLAIM is "email": the initiator of a release that starts by itself is the address that its newest commit names. ' +
    'Whoever may push can write any address into a commit: `forbidInitiator` holds for the author only where the git host verifies authors';
  const unrenewed =
    'SLUICE_OIDC_CLIENT_ID is set and SLUICE_ENCRYPTION_KEY is not: the refresh tokens of sessions cannot be kept, so a person whom the ' +
    'identity provider lets in no longer stays signed in until the session ends, with the groups of the sign-in';
  return [
    ...(role === 'worker' && publicUrl === undefined ? [deadLinks] : []),
    ...(role !== 'worker' && auth.oidc?.client !== undefined && encryptionKeys.length === 0 ? [unrenewed] : []),
    ...(auth.oidc?.nameClaim === 'email' ? [anyAuthor] : []),
  ];
}

/**
 * Whether only this machine reaches the installation, so that a caller who defines something could call the same addresses
 * without Sluice. One part of several says nothing about where the others listen; a public URL tells of a proxy in front.
 */
function isLocal(values: Values): boolean {
  const { SLUICE_ROLE, HOST, SLUICE_PUBLIC_URL, SLUICE_AUTH, SLUICE_OIDC_ISSUER, SLUICE_ADMIN_TOKEN } = values;
  const reached = SLUICE_PUBLIC_URL === undefined ? HOST! : new URL(SLUICE_PUBLIC_URL).hostname;
  // Who asks callers for their names expects others than this machine's own.
  const open = SLUICE_AUTH !== 'required' && (SLUICE_OIDC_ISSUER ?? SLUICE_ADMIN_TOKEN) === undefined;
  return open && SLUICE_ROLE === 'all' && isLoopback(HOST!) && isLoopback(reached);
}

function read<T>(name: string, spec: Setting<T>, given: string | undefined): T | undefined {
  const value = given || spec.default;
  if (value === undefined) return undefined;
  const result = spec.schema.safeParse(value);
  if (result.success) return result.data;
  const shown = spec.secret ? 'not usable (its value is a secret and not shown)' : `'${value}'`;
  throw new ConfigError(`${name} is ${shown}: expected ${spec.expected}`);
}

function encryptionKeys({ SLUICE_ENCRYPTION_KEY, SLUICE_ENCRYPTION_KEY_PREVIOUS }: Values): string[] {
  if (SLUICE_ENCRYPTION_KEY !== undefined) return [SLUICE_ENCRYPTION_KEY, ...(SLUICE_ENCRYPTION_KEY_PREVIOUS ?? [])];
  if (!SLUICE_ENCRYPTION_KEY_PREVIOUS) return [];
  throw new ConfigError('SLUICE_ENCRYPTION_KEY_PREVIOUS is set and SLUICE_ENCRYPTION_KEY is not: expected both');
}

function credentialsOf(values: Values): GitCredentials {
  const file = values.SLUICE_GIT_CREDENTIALS_FILE;
  const inline = values.SLUICE_GIT_CREDENTIALS;
  if (!file) return inline ?? {};
  if (inline)
    throw new ConfigError('SLUICE_GIT_CREDENTIALS and SLUICE_GIT_CREDENTIALS_FILE are both set: expected one');
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (cause) {
    const reason = (cause as NodeJS.ErrnoException).code;
    throw new ConfigError(`SLUICE_GIT_CREDENTIALS_FILE is '${file}': expected a readable file (${reason})`, { cause });
  }
  const result = SETTINGS.SLUICE_GIT_CREDENTIALS.schema.safeParse(content);
  if (result.success) return result.data;
  const { expected } = SETTINGS.SLUICE_GIT_CREDENTIALS;
  throw new ConfigError(`SLUICE_GIT_CREDENTIALS_FILE is '${file}', whose content is not usable: expected ${expected}`);
}
