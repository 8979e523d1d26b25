import type { ExecutionResult, GraphQLFormattedError } from 'graphql';
import { graphql, parse, subscribe } from 'graphql';
import pg from 'pg';
import type { Grant, Identity, Role } from '../../../src/core/access/index.ts';
import type { Config } from '../../../src/config.ts';
import { LIMITS } from '../../../src/limits.ts';
import type { Limits } from '../../../src/limits.ts';
import { EventLog } from '../../../src/events/event-log.ts';
import { buildApiSchema } from '../../../src/schema/build.ts';
import { Budget } from '../../../src/schema/budget.ts';
import { createContext } from '../../../src/schema/context.ts';
import { within } from '../../../src/server/execute.ts';
import { person } from '../../core/support/builders.ts';
import type { Backend } from '../../support/backends.ts';
import { noBareIds } from '../../support/bare-ids.ts';
import { isByItself } from '../../support/by-itself.ts';
import { needed } from '../../support/database.ts';
import { openTestEngine } from '../../support/engine.ts';
import type { TestEngine } from '../../support/engine.ts';

type BudgetLimits = Config['limits']['budget'];

/** For what a role is granted: everything, when it is left out. */
type Where = Pick<Grant, 'products' | 'environments'>;

export interface TestApi extends TestEngine {
  /** Data as it comes; a top-level error fails the test. */
  // oxlint-disable-next-line typescript/no-explicit-any
  ask(query: string, variables?: Record<string, unknown>, actor?: string | null): Promise<any>;
  /** The same, of somebody who has signed in, with a role for everything: `grace @sre %lead`. */
  // oxlint-disable-next-line typescript/no-explicit-any
  askAs(who: string, query: string, variables?: Record<string, unknown>, role?: Role, where?: Where): Promise<any>;
  /** What a subscription of somebody with a role for everything delivers, as it comes; `return()` ends it. */
  // oxlint-disable-next-line typescript/no-explicit-any
  follow(who: string, query: string, variables?: Record<string, unknown>, where?: Where): Promise<AsyncIterator<any>>;
  /** For what is a fault of the client. */
  errorsOf(query: string, variables?: Record<string, unknown>): Promise<readonly GraphQLFormattedError[]>;
  /** As a transport answers it, within a budget of its own; what it spent. */
  within(
    limits: Partial<BudgetLimits>,
    query: string,
    variables?: Record<string, unknown>,
  ): Promise<ExecutionResult & { spent: { values: number; bytes: number } }>;
  /** How many statements of the API's own connections a question costs. */
  statements(question: () => Promise<unknown>): Promise<number>;
}

/** The schema on a real database, asked in process: what stands between it and HTTP has tests of its own. */
export async function openTestApi(
  settings: Record<string, string> = {},
  limits: Partial<Limits> = {},
): Promise<TestApi> {
  const queuePrefix = `t${Math.random().toString(36).slice(2)}`;
  const backend: Backend = { name: 'redis', redisUrl: needed('TEST_REDIS_URL'), queuePrefix };
  const engine = await openTestEngine(backend, settings, { limits: { ...LIMITS, ...limits } });
  const { app } = engine;
  // What is asked for together is counted together, however slow the machine: operations are not cut into turns.
  app.config.limits.budget.sliceMs = Infinity;
  const log = await EventLog.open({
    pool: app.reads.pool,
    databaseUrl: app.databaseUrl,
    log: app.log,
    entries: app.limits.entriesPerPage,
  });
  const schema = buildApiSchema();
  const execute = (
    source: string,
    variableValues: Record<string, unknown>,
    actor: string | null,
    identity: Identity | null = null,
  ) => graphql({ schema, source, variableValues, contextValue: createContext({ app, log, identity }, actor) });
  return Object.assign(engine, {
    close: closing(engine, log),
    async ask(query: string, variables: Record<string, unknown> = {}, actor: string | null = 'ada') {
      const { data, errors } = await execute(query, variables, actor);
      if (errors) throw errors[0]?.originalError ?? errors[0];
      return noBareIds(JSON.parse(JSON.stringify(data)));
    },
    async askAs(
      who: string,
      query: string,
      variables: Record<string, unknown> = {},
      role: Role = 'ADMIN',
      where: Where = { products: {}, environments: {} },
    ) {
      const identity = identityOf(who, role, where);
      const { data, errors } = await execute(query, variables, null, identity);
      if (errors) throw errors[0]?.originalError ?? errors[0];
      return noBareIds(JSON.parse(JSON.stringify(data)));
    },
    async follow(who: string, query: string, variableValues: Record<string, unknown> = {}, where?: Where) {
      const contextValue = createContext({ app, log, identity: identityOf(who, where ? 'VIEWER' : 'ADMIN', where) });
      const followed = await subscribe({ schema, document: parse(query), variableValues, contextValue });
      if (!(Symbol.asyncIterator in followed)) throw followed.errors?.[0]?.originalError ?? followed.errors?.[0];
      return {
        async next() {
          const { value, done } = await followed.next();
          if (value?.errors) throw value.errors[0];
          contextValue.loaders.clear();
          return { done, value: noBareIds(JSON.parse(JSON.stringify(value?.data ?? null))) };
        },
        return: () => followed.return(undefined),
      } as AsyncIterator<never>;
    },
    async errorsOf(query: string, variables: Record<string, unknown> = {}) {
      const { errors } = await execute(query, variables, 'ada');
      return (errors ?? []).map((each) => each.toJSON());
    },
    async within(limits: Partial<BudgetLimits>, source: string, variableValues: Record<string, unknown> = {}) {
      const contextValue = createContext({ app, log }, 'ada');
      contextValue.budget = new Budget({ ...app.config.limits.budget, ...limits });
      const result = await graphql({ schema, source, variableValues, contextValue });
      return { ...within(contextValue.budget, result), spent: contextValue.budget.spent };
    },
    statements: countStatements,
  });
}

const identityOf = (
  who: string,
  role: Role = 'ADMIN',
  where: Where = { products: {}, environments: {} },
): Identity => ({
  caller: person(who),
  grants: [{ role, ...where }],
  anonymous: false,
  credential: null,
  expiresAt: null,
});

function closing(engine: TestEngine, log: EventLog): () => Promise<void> {
  const close = engine.close.bind(engine);
  return async () => {
    await log.close();
    await close();
  };
}

async function countStatements(question: () => Promise<unknown>): Promise<number> {
  // oxlint-disable-next-line typescript/unbound-method -- it is bound again where it is called
  const { query } = pg.Client.prototype;
  let count = 0;
  // The event log and the queue have connections of their own, which look for news all the time.
  pg.Client.prototype.query = function (
    this: pg.Client & { connectionParameters: { application_name: string } },
    ...rest: never[]
  ) {
    // How a session is made does not count.
    const isSetting = typeof rest[0] === 'string' && (rest[0] as string).startsWith('SET ');
    const isOwn = /^sluice(-reads)?$/.test(this.connectionParameters.application_name);
    if (isOwn && !isSetting && !isByItself(rest[0])) count += 1;
    return (query as (...args: never[]) => unknown).apply(this, rest);
  } as never;
  try {
    await question();
    return count;
  } finally {
    pg.Client.prototype.query = query;
  }
}

/** Every field of a refusal that a test may look at. */
export const ERRORS = `userErrors { __typename code message path ... on ConflictError { currentRevision } }`;
