import { z } from 'zod';
import { doneBy } from './core/done-by.ts';
import { PROTOCOLS, type Protocol } from './drivers/git/address.ts';
import type { GitCredentials } from './drivers/git/credentials.ts';
import { allowedOf, parseAllowed } from './drivers/network/allowed.ts';
import { FAULT_POINTS } from './faults.ts';
import type { Armed, FaultPoint } from './faults.ts';
import { isLoopback } from './loopback.ts';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export const AUTH_MODES = ['auto', 'required', 'off'] as const;
export const ROLES = ['all', 'api', 'worker'] as const;

/** One variable of the environment. */
export interface Setting<T> {
  schema: z.ZodType<T>;
  /** Completes "X is 'value': expected …". */
  expected: string;
  default?: string;
  about: string;
  /** Its value is never repeated in a message. */
  secret?: boolean;
}

const setting = <T>(spec: Setting<T>): Setting<T> => spec;

function wholeNumber(min: number, max: number, about: string, byDefault: number): Setting<number> {
  return setting({
    // Plain digits only: Number() would also take '0x10', '1e3' and ' 7 '.
    schema: z
      .string()
      .regex(/^\d+$/)
      .transform(Number)
      .refine((value) => value >= min && value <= max),
    expected: `a whole number from ${min} to ${max}`,
    default: String(byDefault),
    about,
  });
}

function url(schemes: string[], about: string, example: string): Setting<string> {
  return setting({
    schema: z.string().refine((value) => URL.canParse(value) && schemes.includes(new URL(value).protocol.slice(0, -1))),
    expected: `a URL such as ${example}`,
    about,
    secret: true,
  });
}

const text = (about: string, byDefault?: string): Setting<string> =>
  setting({ schema: z.string().min(1), expected: 'some text', about, default: byDefault });

/** Every variable that Sluice reads; docs/settings.md repeats this table, and a test compares the two. */
export const SETTINGS = {
  SLUICE_ROLE: setting({
    schema: z.enum(ROLES),
    expected: `one of ${ROLES.join(', ')}`,
    default: 'all',
    about: 'What this process does: serve the API, work on releases, or both.',
  }),
  HOST: text('Address to listen on. Loopback unless told: anything wider should be a decision.', '127.0.0.1'),
  PORT: wholeNumber(0, 65_535, 'Port to listen on; 0 takes any free port.', 4000),
  DATABASE_URL: url(
    ['postgres', 'postgresql'],
    'PostgreSQL to use. Without it Sluice runs its own, embedded one.',
    'postgres://user@host:5432/sluice',
  ),
  REDIS_URL: url(
    ['redis', 'rediss'],
    'Redis to use for the queue. Without it the queue lives in PostgreSQL.',
    'redis://host:6379',
  ),
  SLUICE_DATA_DIR: text('Folder for the embedded PostgreSQL and the git cache. Survives restarts.', '.sluice'),
  SLUICE_CONCURRENCY: wholeNumber(
    1,
    10_000,
    'Jobs that one worker process runs at the same time. A job mostly waits; git works on at most 64 repositories of them at once.',
    256,
  ),
  SLUICE_QUEUE_PREFIX: setting({
    // BullMQ builds its keys with colons.
    schema: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/),
    expected: 'letters, digits, - and _, at most 64',
    default: 'sluice',
    about: 'Name space of the queues, for several installations on one Redis.',
  }),
  SLUICE_LOCK_DURATION_MS: wholeNumber(
    1_000,
    600_000,
    'How long a job stays with a worker that no longer reports, in ms.',
    5_000,
  ),
  SLUICE_STALLED_INTERVAL_MS: wholeNumber(
    100,
    600_000,
    'How often workers look for jobs whose worker is gone, in ms.',
    2_000,
  ),
  SLUICE_SWEEP_INTERVAL_MS: wholeNumber(
    50,
    600_000,
    'How often due releases are swept up, and the queue is compared with the database, in ms.',
    1_000,
  ),
  SLUICE_DRIFT_INTERVAL_MS: wholeNumber(
    0,
    86_400_000,
    'How often each target is asked whether it still holds what was promoted to it, in ms; 0: only before a rollback is decided.',
    300_000,
  ),
  SLUICE_ACTION_LOG_DAYS: wholeNumber(
    0,
    36_500,
    'Days after the end of a release for which the logs of its actions are kept; 0: for good.',
    0,
  ),
  LOG_LEVEL: setting({
    schema: z.enum(LOG_LEVELS),
    expected: `one of ${LOG_LEVELS.join(', ')}`,
    default: 'info',
    about: 'Least important level that is logged.',
  }),
  SLUICE_PUBLIC_URL: setting({
    schema: z
      .string()
      .regex(/^https?:\/\/[^\s/]+/)
      .refine((value) => URL.canParse(value)),
    expected: 'a URL such as https://sluice.example.com',
    about: 'Where people reach this server; used in links. Without it, the address it listens on.',
  }),
  SLUICE_SIGNING_KEY: setting({
    schema: z.string().min(32),
    expected: 'at least 32 characters that cannot be guessed',
    about:
      'Signs approval links and commits; the same for every process. Without it, a key that is made once and kept in the database.',
    secret: true,
  }),
  SLUICE_DATABASE_POOL_SIZE: wholeNumber(
    2,
    1_000,
    'PostgreSQL connections that one process may hold. Up to six more, and no more than these, are for moving releases.',
    10,
  ),
  SLUICE_STATEMENT_TIMEOUT_MS: wholeNumber(
    500,
    3_600_000,
    'How long PostgreSQL may work on one statement, in ms; it waits half as long for a lock. Migrations take as long as they need.',
    30_000,
  ),
  SLUICE_READ_POOL_SIZE: wholeNumber(
    1,
    1_000,
    'PostgreSQL connections beside these that one process reads lists and the event log with.',
    5,
  ),
  SLUICE_READS_PER_CALLER: wholeNumber(
    1,
    1_000,
    'Lists and pages of the log that one caller reads at once at one process; others of the same caller wait.',
    3,
  ),
  SLUICE_READ_TIMEOUT_MS: wholeNumber(
    100,
    600_000,
    'How long reading such a page may take in PostgreSQL, in ms.',
    10_000,
  ),
  SLUICE_GIT_AUTHOR_NAME: text('Author of the commits that promotions make.', 'Sluice'),
  SLUICE_GIT_AUTHOR_EMAIL: text("That author's address.", 'sluice@localhost'),
  SLUICE_BRANCH_PREFIX: setting({
    schema: z
      .string()
      .regex(/^[a-z0-9]([\w-]*[a-z0-9])?(\/[a-z0-9]([\w-]*[a-z0-9])?)*$/i)
      .max(60),
    expected: 'letters, digits, "-" and "_", in parts with "/" between, at most 60 characters',
    default: 'sluice',
    about: 'How the branches of pull requests begin; the host must let Sluice create and delete them.',
  }),
  SLUICE_GIT_CREDENTIALS: setting({
    schema: z.string().transform((value, context) => parseCredentials(value, context)),
    expected: 'JSON such as {"https://git.example.com/": {"username": "ci", "password": "…"}}',
    about: 'Credentials for git hosts, by URL prefix: username and password, or token.',
    secret: true,
  }),
  SLUICE_GIT_CREDENTIALS_FILE: text('File that holds the same JSON, for secrets mounted as files.'),
  SLUICE_GIT_CACHE_DAYS: wholeNumber(
    1,
    10_000,
    'Days after which a local copy of a repository that was not used is removed.',
    30,
  ),
  SLUICE_GIT_CACHE_MAX_MB: wholeNumber(
    1,
    100_000_000,
    'MiB that the local copies of repositories may take together; over it, those go that were used longest ago.',
    51_200,
  ),
  SLUICE_GIT_MAX_REPOSITORY_MB: wholeNumber(1, 100_000_000, 'MiB of one repository; a larger one is refused.', 10_240),
  SLUICE_GIT_PROTOCOLS: setting({
    schema: z.string().transform((value, context): Protocol[] => {
      const names = value.split(/[\s,]+/).filter(Boolean) as Protocol[];
      if (names.length > 0 && names.every((name) => PROTOCOLS.includes(name))) return names;
      context.addIssue({ code: 'custom', message: 'not usable' });
      return z.NEVER;
    }),
    expected: `some of ${PROTOCOLS.join(', ')}`,
    about: 'Protocols of git remotes. Without it https and ssh, and file where only this machine reaches the server.',
  }),
  SLUICE_ALLOWED_NETWORKS: setting({
    schema: z.string().transform((value, context): string[] => {
      const entries = parseAllowed(value);
      if (entries) return entries;
      context.addIssue({ code: 'custom', message: 'not usable' });
      return z.NEVER;
    }),
    expected: 'CIDRs, addresses and names such as 10.0.0.0/8, git.corp.example, *.lan',
    about:
      'What definitions may make the server call, besides public addresses. Without it nothing, or loopback where only this machine reaches the server.',
  }),
  SLUICE_COMMANDS: setting({
    schema: z
      .string()
      .transform((value) => value.split(/[,\s]+/).filter((each) => each !== ''))
      .refine((all) => all.every((each) => each.startsWith('/') && !each.split('/').includes('..'))),
    expected: 'absolute paths such as /usr/local/bin/migrate, apart by commas or spaces',
    about: 'Programs that the action `command` of workflows may run on this worker. Without it none.',
  }),
  SLUICE_BODY_LIMIT_BYTES: wholeNumber(1_024, 1_073_741_824, 'Largest request body, in bytes.', 1_048_576),
  SLUICE_ENCRYPTION_KEY: setting({
    schema: z.string().refine(isKey),
    expected: '32 bytes in base64, as `openssl rand -base64 32` makes them',
    about: 'Seals the secrets that are kept in the database; the same for every process. Without it there are none.',
    secret: true,
  }),
  SLUICE_ENCRYPTION_KEY_PREVIOUS: setting({
    schema: z
      .string()
      .transform((value) => value.split(/[\s,]+/).filter(Boolean))
      .refine((keys) => keys.every(isKey)),
    expected: 'one or more such keys',
    about: `Earlier keys, which open what they sealed until ${doneBy('secretsReseal', 'secret reseal')} has run.`,
    secret: true,
  }),
  SLUICE_QUERY_COST: wholeNumber(
    100,
    100_000_000,
    'Most that one operation may cost: an object is 1, a list counts as often as its `first` says.',
    50_000,
  ),
  SLUICE_QUERY_VALUES: wholeNumber(
    100,
    100_000_000,
    'Most objects and fields of objects that the answer to one operation may have, lists counted by what they hold.',
    250_000,
  ),
  SLUICE_ANSWER_LIMIT_BYTES: wholeNumber(
    1_024,
    1_073_741_824,
    'Largest answer to one operation, in bytes, counted while it is made.',
    16_777_216,
  ),
  SLUICE_RATE_LIMIT: setting({
    schema: z
      .string()
      .regex(/^\d{1,9}$/)
      .transform(Number),
    expected: 'a whole number; 0 for no limit',
    about:
      'Operations that one caller may ask of one process within ten seconds. Without it 1000, or no limit where only this machine reaches the server.',
  }),
  SLUICE_MAX_CONNECTIONS: wholeNumber(1, 1_000_000, 'Connections that one process holds open.', 10_000),
  SLUICE_MAX_STREAMS: wholeNumber(
    1,
    1_000_000,
    'WebSockets and event streams that one caller may hold open at one process.',
    2_000,
  ),
  SLUICE_MAX_SUBSCRIPTIONS: wholeNumber(
    1,
    1_000_000,
    'Subscriptions that one caller may hold open at one process.',
    10_000,
  ),
  SLUICE_REQUEST_TIMEOUT_MS: wholeNumber(
    1_000,
    600_000,
    'How long a client may take to send a request, in ms; for its headers a third of it.',
    30_000,
  ),
  SLUICE_ALLOWED_ORIGINS: setting({
    schema: z.string().transform((value, context): string[] => {
      const origins = value.split(/[\s,]+/).filter(Boolean);
      const isOrigin = (each: string): boolean =>
        /^https?:[^*]*$/.test(each) && URL.canParse(each) && new URL(each).origin === each;
      if (origins.length > 0 && origins.every(isOrigin)) return origins;
      context.addIssue({ code: 'custom', message: 'not usable' });
      return z.NEVER;
    }),
    expected: 'origins such as https://portal.example.com, without a path',
    about: 'Other sites whose pages may use the API (CORS, WebSockets, event streams). Without it none.',
  }),
  SLUICE_TRUSTED_PROXIES: setting({
    schema: z.string().transform((value, context): string[] => {
      const entries = parseAllowed(value);
      if (entries && allowedOf(entries).names.length === 0) return allowedOf(entries).networks;
      context.addIssue({ code: 'custom', message: 'not usable' });
      return z.NEVER;
    }),
    expected: 'CIDRs and addresses such as 10.0.0.0/8, 127.0.0.1',
    about:
      'Proxies in front, whose X-Forwarded-For says where a request comes from. Without it no such header is believed.',
  }),
  SLUICE_AUTH: setting({
    schema: z.enum(AUTH_MODES),
    expected: `one of ${AUTH_MODES.join(', ')}`,
    default: 'auto',
    about:
      'Whether callers must say who they are. auto: as soon as OIDC, an admin token or a first API token exists; off: never, on loopback only.',
  }),
  SLUICE_ADMIN_TOKEN: setting({
    schema: z.string().regex(/^[\x21-\x7e]{32,}$/),
    expected: 'at least 32 characters without spaces, e.g. of `openssl rand -hex 32`',
    about: 'A token that may do everything: for the first steps, before others are made.',
    secret: true,
  }),
  SLUICE_OIDC_ISSUER: setting({
    schema: z.string().refine((value) => isIssuer(value)),
    expected: 'a URL such as https://login.example.com/realms/main (http on loopback only)',
    about: "Identity provider whose tokens say who is calling: the issuer, exactly as its tokens' `iss` has it.",
  }),
  SLUICE_OIDC_AUDIENCE: text('What the `aud` of its tokens must hold: the name of this installation there.'),
  SLUICE_OIDC_NAME_CLAIM: text(
    'The claim that names people, in grants, events and approvals. With `email`, the address of a commit names the initiator of a release that starts by itself.',
    'sub',
  ),
  SLUICE_OIDC_GROUPS_CLAIM: text('The claim that holds their groups.', 'groups'),
  SLUICE_OIDC_CLIENT_ID: setting({
    schema: z.string().regex(/^[\x21-\x7e]+$/),
    expected: 'the id of a client, without spaces',
    about:
      'The client that Sluice is at the identity provider: people sign in to the web app with it. Without it the web app takes tokens.',
  }),
  SLUICE_OIDC_CLIENT_SECRET: setting({
    schema: z.string().min(1),
    expected: 'some text',
    about: "That client's secret. Without it a public client, which proves itself by PKCE alone.",
    secret: true,
  }),
  SLUICE_OIDC_SCOPES: setting({
    schema: z.string().refine((value) => value.split(' ').includes('openid')),
    expected: 'scopes apart by spaces, with openid among them',
    default: 'openid profile email',
    about: 'What is asked of the provider at a sign-in; some give a refresh token for `offline_access` only.',
  }),
  SLUICE_SESSION_IDLE_MS: wholeNumber(
    1_000,
    2_592_000_000,
    'How long a session of the web app may go unused before it ends, in ms.',
    28_800_000,
  ),
  SLUICE_SESSION_MAX_MS: wholeNumber(
    1_000,
    2_592_000_000,
    'How long such a session may last altogether, in ms.',
    86_400_000,
  ),
  SLUICE_FAULT: setting({
    schema: z
      .string()
      .regex(new RegExp(`^(${FAULT_POINTS.join('|')})(/[A-Za-z-]{1,30})?:[1-9]\\d{0,5}$`))
      .transform((value): Armed => {
        const [, point, of, nth] = /^([^/:]+)(?:\/([^:]+))?:(\d+)$/.exec(value)!;
        return { point: point as FaultPoint, ...(of !== undefined && { of }), nth: Number(nth) };
      }),
    expected: `a point and a count such as after-effect:3 or after-record/merge:3; points are ${FAULT_POINTS.join(', ')}`,
    about:
      'For tests of crashes, never in production: the process kills itself when it reaches the point for that time.',
  }),
} satisfies Record<string, Setting<unknown>>;

type Settings = typeof SETTINGS;

/** The settings as their schemas read them; undefined: neither given nor with a default. */
export type Values = { [K in keyof Settings]: z.output<Settings[K]['schema']> | undefined };

/** The rows of the table in docs/settings.md. */
export function settingsTable(): string[] {
  return Object.entries<Setting<unknown>>(SETTINGS).map(
    ([name, spec]) =>
      `| \`${name}\` | ${spec.default === undefined ? '' : `\`${spec.default}\``} | ${spec.expected} | ${spec.about} |`,
  );
}

/** Keys that come over plain HTTP could be anybody's. */
function isIssuer(value: string): boolean {
  if (!URL.canParse(value)) return false;
  const { protocol, hostname, search, hash } = new URL(value);
  return search === '' && hash === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname)));
}

function isKey(text: string): boolean {
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && bytes.toString('base64').replace(/=+$/, '') === text.replace(/=+$/, '');
}

const credentialsSchema: z.ZodType<GitCredentials> = z.record(
  z.string().min(1),
  z.strictObject({
    username: z.string().optional(),
    password: z.string().optional(),
    token: z.string().optional(),
  }),
);

function parseCredentials(value: string, context: z.RefinementCtx): GitCredentials {
  try {
    return credentialsSchema.parse(JSON.parse(value));
  } catch {
    // Neither the parser's nor zod's words are passed on: they quote the input, and the input is a secret.
    context.addIssue({ code: 'custom', message: 'not usable' });
    return z.NEVER;
  }
}
