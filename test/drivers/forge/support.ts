import { FRESH_BUDGET, settle, take } from '../../../src/core/forge-budget.ts';
import type { Budget, Budgets, Told } from '../../../src/core/forge-budget.ts';
import type { ForgeKind, ForgeUse } from '../../../src/core/forges.ts';
import type { Forge } from '../../../src/drivers/forge/forge.ts';
import { Forges } from '../../../src/drivers/forge/index.ts';
import { localHttp, serve } from '../http-server.ts';
import type { Asked } from '../http-server.ts';

/** Budgets of this process alone, which remember what hosts told. */
export class MemoryBudgets implements Budgets {
  readonly rows = new Map<string, Budget>();
  readonly told: { credential: string; told: Told }[] = [];
  now: () => number = Date.now;

  async take(...[credential, limits, call, lease]: Parameters<Budgets['take']>): ReturnType<Budgets['take']> {
    const { taken, budget } = take(this.rows.get(credential) ?? FRESH_BUDGET, limits, call, lease, this.now());
    this.rows.set(credential, budget);
    return taken;
  }

  async settle(credential: string, lease: string, told: Told): Promise<void> {
    this.rows.set(credential, settle(this.rows.get(credential)!, lease, told, this.now()));
    if (Object.values(told).some((each) => each !== undefined)) this.told.push({ credential, told });
  }
}

export const TOKEN = 'token-0123456789';

export interface Wanted extends Partial<Omit<ForgeUse, 'kind'>> {
  value?: string;
  budgets?: Budgets;
  deadline?: number;
}

/** The forge of a repository with one secret, `bot`. */
export async function forgeOf(repository: string, forge: ForgeKind, wanted: Wanted = {}): Promise<Forge> {
  const { value = TOKEN, budgets = new MemoryBudgets(), deadline, url = new URL(repository).origin, ...more } = wanted;
  const secrets = {
    forgeSecrets: async () => [
      { name: 'bot', use: { kind: 'FORGE' as const, forge, url, ...more }, open: () => value },
    ],
  };
  const found = await new Forges({
    http: localHttp,
    secrets,
    budgets,
    ...(deadline !== undefined && { deadline }),
  }).forge(repository);
  return found!;
}

export interface Reply {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A forge that answers what the test says: by `METHOD /path` the replies in order, the last one again and again. */
export async function answering(kind: ForgeKind, replies: Record<string, Reply | Reply[]>, wanted: Wanted = {}) {
  const left = new Map(Object.entries(replies).map(([line, each]) => [line, Array.isArray(each) ? [...each] : [each]]));
  const unknown: string[] = [];
  const server = await serve((asked: Asked, response) => {
    const line = `${asked.method} ${asked.url.replace(/\?.*$/, '').replace(/^\/api\/v\d/, '')}`;
    const some = left.get(line);
    if (!some) unknown.push(line);
    const next = some && some.length > 1 ? some.shift() : some?.[0];
    const reply = next ?? { status: 500, body: { message: `there is no reply to ${line}` } };
    response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers });
    response.end(
      reply.body === undefined ? '' : typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body),
    );
  });
  const repository = `http://${server.host}/acme/config.git`;
  const forge = await forgeOf(repository, kind, wanted);
  return { ...server, forge, repository, unknown };
}
