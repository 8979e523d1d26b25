import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rootFields } from '../../src/resolvers/access/guard.ts';
import { buildApiSchema } from '../../src/schema/build.ts';
import { makeAll, type Made, SAMPLES } from './every-command.ts';
import { sampleOperation } from './sample.ts';
import { ADMIN, codeOf, type GuardedServer, openGuarded } from './support.ts';

const mutations = rootFields(buildApiSchema().getMutationType());
const byName = new Map(mutations.map((field) => [field.name, field]));

let guarded: GuardedServer;
let made: Made;
beforeAll(async () => {
  const SLUICE_ENCRYPTION_KEY = randomBytes(32).toString('base64');
  // What is broken on purpose here is not to be read in the log.
  guarded = await openGuarded({ SLUICE_ENCRYPTION_KEY, LOG_LEVEL: 'fatal' });
  made = await makeAll(guarded);
}, 60_000);
afterAll(() => guarded.close());

interface Entry {
  id: string;
  action: string;
  outcome: string;
  reasons: string[] | null;
  before: unknown;
  after: unknown;
  objects: unknown[];
}

async function entriesSince(id: string): Promise<Entry[]> {
  const { rows } = await guarded.engine.app.pool.query<Entry>('SELECT * FROM audit_log WHERE id > $1 ORDER BY id', [
    id,
  ]);
  return rows;
}

const lastEntry = async (): Promise<string> =>
  (await guarded.engine.app.pool.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM audit_log')).rows[0]!.id;

/** Everything that the database holds, but for the log itself, when a token was used last, and work that goes a moment after it was handed over. */
async function everything(): Promise<Record<string, string>> {
  const { pool } = guarded.engine.app;
  const { rows } = await pool.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
       AND relname NOT IN ('audit_log', 'api_token_use', 'outbox') ORDER BY relname`,
  );
  const digests = rows.map(async ({ name }) => {
    const said = name === 'api_token' ? `to_jsonb(t) - 'last_used_at'` : 'to_jsonb(t)';
    const { rows: found } = await pool.query<{ digest: string }>(
      `SELECT md5(coalesce(string_agg((${said})::text, ',' ORDER BY t::text), '')) AS digest FROM "${name}" AS t`,
    );
    return [name, found[0]!.digest] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

/** What a command set off goes on for a moment after it has answered. */
async function atRest(): Promise<Record<string, string>> {
  for (let before = await everything(); ;) {
    await new Promise((resolve) => setTimeout(resolve, 60));
    const now = await everything();
    if (JSON.stringify(now) === JSON.stringify(before)) return now;
    before = now;
  }
}

async function order(name: string, input: object) {
  const type = String(byName.get(name)!.args.find((each) => each.name === 'input')!.type);
  const query = `mutation ($input: ${type}) { ${name}(input: $input) { userErrors { message } } }`;
  const answer = await guarded.ask(ADMIN, query, { input });
  const payload = answer.body.data?.[name] as { userErrors: { message: string }[] } | undefined;
  return { code: codeOf(answer), errors: answer.body.errors, said: payload?.userErrors };
}

/** They change nothing here: a pull request at the host of a repository, which test/api/git-sources.test.ts opens. */
const ELSEWHERE = new Set(['manifestsPropose']);

test('every mutation of the schema has a sample here: a new one needs one, too', () => {
  const here = mutations.map(({ name }) => name).filter((name) => !ELSEWHERE.has(name));
  expect(SAMPLES.map(([name]) => name).sort()).toEqual(here.sort());
});

describe.each(SAMPLES)('%s', (name, inputOf) => {
  test('changes nothing when its entry cannot be written, and leaves exactly one when it can', async () => {
    const { pool } = guarded.engine.app;
    const input = await inputOf(made);
    const before = await atRest();
    const start = await lastEntry();

    await pool.query(`ALTER TABLE audit_log ADD CONSTRAINT no_more CHECK (outcome <> 'DONE') NOT VALID`);
    try {
      expect(await order(name, input)).toMatchObject({ code: 'INTERNAL_SERVER_ERROR' });
    } finally {
      await pool.query('ALTER TABLE audit_log DROP CONSTRAINT no_more');
    }
    expect(await atRest()).toEqual(before);
    expect((await entriesSince(start)).map((each) => [each.action, each.outcome])).toEqual([[name, 'FAILED']]);

    const then = await lastEntry();
    expect(await order(name, input)).toEqual({ said: [] });
    expect(await atRest()).not.toEqual(before);
    const entries = await entriesSince(then);
    // What a replay sets off is the doing of the source, and has an entry of its own.
    const own = entries.filter(({ action }) => action === name);
    expect(own).toHaveLength(1);
    expect(own[0]).toMatchObject({ outcome: 'DONE', reasons: null });
    expect(own[0]!.objects.length).toBeGreaterThan(0);
    expect([own[0]!.before, own[0]!.after]).not.toEqual([null, null]);
    expect(entries.filter(({ action }) => action !== name)).toHaveLength(name === 'webhookDeliveryReplay' ? 1 : 0);
  });
});

test.each(mutations.map((field) => [field.name, field] as const))(
  '%s of what is not there leaves one entry, with what it was answered',
  async (name, field) => {
    await atRest();
    const start = await lastEntry();
    const { query, variables } = sampleOperation('mutation', field);
    const { body } = await guarded.ask(ADMIN, query.replace('{ __typename }', '{ userErrors { message } }'), variables);
    const said = (body.data?.[name] as { userErrors: { message: string }[] } | null)?.userErrors;
    const entries = await entriesSince(start);
    expect(entries.map(({ action }) => action)).toEqual([name]);
    const [entry] = entries;
    if (said === undefined) expect(entry!.outcome).toBe('FAILED');
    else if (said.length === 0) expect(entry!.outcome).toBe('DONE');
    else expect(entry).toMatchObject({ outcome: 'REFUSED', reasons: said.map(({ message }) => message) });
  },
);
