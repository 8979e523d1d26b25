import { randomBytes } from 'node:crypto';
import { createGrant } from '../../src/commands/access/change-grants.ts';
import type { GrantInput } from '../../src/commands/access/change-grants.ts';
import { createToken } from '../../src/commands/access/create-token.ts';
import { NOTHING_KEPT, openSession } from '../../src/commands/access/open-session.ts';
import type { Grant, Identity, Role } from '../../src/core/access/index.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import type { ApiOptions } from '../../src/server/api.ts';
import { type Answer, post } from '../api/support/clients.ts';
import { openTestEngine, type TestEngine } from '../support/engine.ts';

export interface GuardedServer {
  url: string;
  server: ApiServer;
  engine: TestEngine;
  /** Of a service account, for everything unless limited. */
  token(role: Role, limits?: Partial<Grant>, expiresAt?: Date): Promise<Token>;
  grant(given: Partial<GrantInput> & Pick<GrantInput, 'subject' | 'role'>): Promise<string>;
  ask(token: Token | string | null, query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Another server process's worth of API on the same database. */
  another(): Promise<ApiServer>;
  close(): Promise<void>;
}

export interface Token {
  id: string;
  text: string;
}

/** A server that asks who is calling: its first admin token is in the environment. */
export async function openGuarded(
  settings: Record<string, string> = {},
  options: ApiOptions = {},
): Promise<GuardedServer> {
  const backend = { name: 'postgres' as const, queuePrefix: `t${randomBytes(5).toString('hex')}` };
  const engine = await openTestEngine(backend, { SLUICE_ADMIN_TOKEN: ADMIN, ...settings });
  const server = await startServer(engine.app, options);
  const servers = [server];
  let made = 0;
  return {
    url: server.url,
    server,
    engine,
    async token(role, limits = {}, expiresAt) {
      const scope = [{ role, products: {}, environments: {}, ...limits }];
      const subject = `${role.toLowerCase()}-${(made += 1)}`;
      const input = {
        name: 'test',
        subjectKind: 'SERVICE_ACCOUNT' as const,
        subject,
        scope,
        expiresAt: expiresAt ?? null,
      };
      const { value, refusals } = await createToken(engine.app, input, SOMEBODY);
      if (refusals) throw new Error(JSON.stringify(refusals));
      return { id: value.stored.id, text: value.token };
    },
    async grant(given) {
      const input = { subjectKind: 'USER' as const, products: {}, environments: {}, ...given };
      const { value, refusals } = await createGrant(engine.app, input, SOMEBODY);
      if (refusals) throw new Error(JSON.stringify(refusals));
      return value.id;
    },
    ask: (token, query, variables) => post(server.url, { query, variables }, bearer(token)),
    async another() {
      const other = await startServer(await engine.another(), options);
      servers.push(other);
      return other;
    },
    async close() {
      for (const each of servers) await each.close();
      await engine.close();
    },
  };
}

/** The id of a session of grace, which nobody has the cookie of. */
export async function sessionOf({ engine }: GuardedServer): Promise<string> {
  const who = {
    origin: 'TOKEN',
    subjectKind: 'USER',
    subject: 'grace',
    issuer: null,
    providerSubject: null,
    providerSession: null,
  } as const;
  const signedIn = {
    ...who,
    groups: [],
    tokenId: null,
    tokenHash: 'ab',
    credential: 'token',
    until: null,
    kept: () => NOTHING_KEPT,
  };
  const from = { transport: 'WEB', address: null, userAgent: null };
  return (await openSession(engine.app, signedIn, from)).session.id;
}

export const SOMEBODY: Identity = {
  caller: { name: 'somebody', kind: 'PERSON', groups: [], roles: ['admin'] },
  grants: [{ role: 'ADMIN', products: {}, environments: {} }],
  anonymous: false,
  credential: null,
  expiresAt: null,
};

export const ADMIN = `admin-${'0123456789'.repeat(3)}`;

export function bearer(token: Token | string | null): Record<string, string> {
  if (token === null) return {};
  return { authorization: `Bearer ${typeof token === 'string' ? token : token.text}` };
}

export const codeOf = ({ body }: Answer): unknown => body.errors?.[0]?.extensions?.['code'];
export const messageOf = ({ body }: Answer): string => body.errors?.[0]?.message ?? '';
