import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGrant, deleteGrant } from '../../src/commands/access/change-grants.ts';
import { createToken } from '../../src/commands/access/create-token.ts';
import { createApprovalLink } from '../../src/commands/create-approval-link.ts';
import type { NewApprovalLink } from '../../src/commands/create-approval-link.ts';
import type { Caller } from '../../src/core/caller.ts';
import { type ApiServer, startServer } from '../../src/server.ts';
import { approvalOf, person } from '../core/support/builders.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

const bot: Caller = { name: 'messenger', kind: 'SERVICE_ACCOUNT', groups: [], roles: [] };
const grace = person('grace @sre');

describe('approval links', () => {
  let api: TestApi;
  let server: ApiServer;
  beforeAll(async () => {
    api = await openTestApi();
    await api.startWorker();
    server = await startServer(api.app);
    await api.saveBilling('linked', {
      concurrency: 'PIPELINE',
      approvals: { staging: approvalOf('1 of @sre, linus') },
    });
  });
  afterAll(async () => {
    await server.close();
    await api.close();
  });

  const asked = async (version: string): Promise<string> => {
    const id = await api.trigger({ product: 'linked', version });
    await api.reached(id, (state) => state.promotions[1]?.approval !== null);
    return id;
  };
  /** The link's address on this server, whatever the settings say of it. */
  const link = async (releaseId: string, caller: Caller, more: Partial<NewApprovalLink> = {}): Promise<string> => {
    const input = { releaseId, environment: 'staging', decision: 'approve' as const, ...more };
    const made = await createApprovalLink(api.app, input, caller);
    if (made.refusals) throw new Error(JSON.stringify(made.refusals));
    return `${server.url}${new URL(made.value.url).pathname}`;
  };
  const press = (url: string, comment = ''): Promise<Response> =>
    fetch(url, { method: 'POST', body: new URLSearchParams({ comment }), redirect: 'error' });
  const tell = (url: string, body: object = {}): Promise<Response> =>
    fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
  const statusOf = async (id: string): Promise<string | undefined> =>
    (await api.reached(id, () => true)).promotions[1]?.status;

  test('opening shows what is asked and decides nothing; the button decides, once', async () => {
    const id = await asked('<b>1&1</b>');
    const url = await link(id, grace);
    for (let scanner = 0; scanner < 3; scanner += 1) {
      const response = await fetch(url);
      const page = await response.text();
      expect(response.status).toBe(200);
      expect(page).toContain('Approve the promotion into staging?');
      expect(page).toContain('linked');
      expect(page).toContain('&#60;b&#62;1&#38;1&#60;/b&#62;');
      expect(page).not.toMatch(/<b>|src=|href=/);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
        'x-robots-tag': 'noindex, nofollow',
        'content-security-policy': expect.stringMatching(/^default-src 'none'; style-src 'sha256-.*form-action 'self'/),
      });
    }
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    expect(await statusOf(id)).toBe('SUSPENDED');

    const done = await press(url, 'seen on my phone');
    expect(done.status).toBe(200);
    expect(await done.text()).toContain('Approved: staging');
    const state = await api.ended(id);
    expect(state.promotions[1]?.approval?.decisions).toMatchObject([
      { kind: 'APPROVED', by: 'grace', comment: 'seen on my phone', via: 'LINK' },
    ]);
    for (const again of [await press(url), await fetch(url)]) {
      expect(again.status).toBe(409);
      expect(await again.text()).toContain('was used already, to approve staging: it works once');
    }
    const { rows } = await api.app.pool.query(
      `SELECT actor, action, credential, outcome FROM audit_log WHERE credential LIKE 'approval link%' ORDER BY id`,
    );
    expect(rows).toMatchObject([
      { actor: 'grace', action: 'promotionApprove', outcome: 'DONE' },
      // Opening it again is looking; pressing again is a command.
      { actor: 'grace', action: 'promotionApprove', outcome: 'REFUSED' },
    ]);
  });

  test('a link about a step shows its question and decides on that step alone; it belongs to its environment', async () => {
    const ask = { name: 'sign-off', type: 'approval' as const, parameters: { question: 'Is ${ENVIRONMENT} ready?' } };
    await api.saveBilling('stepped', {
      concurrency: 'PIPELINE',
      approvals: { staging: approvalOf('1 of @sre, linus') },
    });
    await api.save('PromotionWorkflow', 'asking', { actions: [ask] });
    await api.save('PromotionPolicy', 'stepped', {
      priority: 1,
      selector: { product: { names: ['stepped'] }, targetEnvironment: { names: ['staging'] } },
      policy: { preAction: 'asking' },
      locked: ['preAction'],
    });
    const id = await api.trigger({ product: 'stepped', version: '1' });
    await api.reached(id, (state) => state.promotions[1]?.approval !== null);
    const start = await link(id, grace);
    expect((await tell(start)).status).toBe(200);
    const seen = await api.reached(id, ({ promotions }) => promotions[1]?.steps.some((each) => each.asked) === true);
    expect(seen.promotions[1]?.status).toBe('SUSPENDED');

    expect(
      (await createApprovalLink(api.app, { releaseId: id, environment: 'staging', decision: 'approve' }, grace))
        .refusals,
    ).toMatchObject([{ code: 'WRONG_STATE' }]);
    const url = await link(id, grace, { step: 'sign-off' });
    const page = await (await fetch(url)).text();
    expect(page).toContain('Approve what staging asks?');
    expect(page).toContain('Is staging ready?');
    expect(page).toContain('stepped-staging/PRE_ACTION/sign-off');
    // The step is in the signature.
    await api.app.pool.query(`UPDATE approval_link SET step = NULL WHERE step IS NOT NULL`);
    expect((await tell(url)).status).toBe(404);
    await api.app.pool.query(
      `UPDATE approval_link SET step = 'stepped-staging/PRE_ACTION/sign-off' WHERE used_at IS NULL AND release_id = $1`,
      [id],
    );
    expect(await (await tell(url, { comment: 'looks well' })).json()).toMatchObject({
      decision: 'approve',
      environment: 'staging',
      step: 'stepped-staging/PRE_ACTION/sign-off',
    });
    const { promotions } = await api.ended(id);
    expect(promotions[1]?.steps.find((each) => each.asked)?.asked?.approval.decisions).toMatchObject([
      { kind: 'APPROVED', by: 'grace', comment: 'looks well', via: 'WEBHOOK' },
    ]);
    const again = await (await tell(url)).json();
    expect(again).toMatchObject({ errors: [{ message: expect.stringContaining('staging, step stepped-staging') }] });
  });

  test('another system sends JSON, and reads JSON', async () => {
    const id = await asked('2');
    const url = await link(id, bot, { approver: 'linus', decision: 'reject' });
    const response = await tell(url, { comment: 'change board said no' });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      decision: 'reject',
      release: id,
      environment: 'staging',
      approver: 'linus',
      status: 'FAILED',
    });
    expect((await api.ended(id)).firstProblem?.message).toBe('rejected by linus: change board said no');
    const again = await tell(url);
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ errors: [{ extensions: { code: 'WRONG_STATE' } }] });
  });

  test('used ten times at the same moment it decides once', async () => {
    const id = await asked('3');
    const url = await link(id, grace);
    const answers = await Promise.all(Array.from({ length: 10 }, () => tell(url)));
    expect(answers.filter((each) => each.status === 200)).toHaveLength(1);
    expect((await api.ended(id)).promotions[1]?.approval?.decisions).toHaveLength(1);
  });

  test('asked for again with its key, it is the same link, whatever was decided since', async () => {
    const id = await asked('replayed');
    const key = { idempotencyKey: `k-${id}` };
    const url = await link(id, grace, key);
    expect((await tell(url)).status).toBe(200);
    await api.ended(id);
    expect(await link(id, grace, key)).toBe(url);
    await expect(link(id, grace, { idempotencyKey: `another-${id}` })).rejects.toThrow('WRONG_STATE');
  });

  test('a letter changed, another signature, another link’s signature: none of them is a link', async () => {
    const id = await asked('4');
    const [one, other] = [await link(id, grace), await link(id, grace, { decision: 'reject' })];
    const [base = '', signature = ''] = one
      .split('.')
      .map((_, index, parts) => (index === parts.length - 1 ? parts[index] : parts.slice(0, -1).join('.')));
    const swapped = `${one.slice(0, one.lastIndexOf('.'))}.${other.slice(other.lastIndexOf('.') + 1)}`;
    const flipped = `${one.slice(0, -1)}${one.endsWith('A') ? 'Q' : 'A'}`;
    for (const url of [
      swapped,
      flipped,
      `${server.url}/approvals/x`,
      `${server.url}/approvals/${'a'.repeat(500)}`,
      `${base}.${signature}A`,
    ]) {
      const response = await tell(url);
      expect([url, response.status]).toEqual([url, 404]);
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] });
      expect((await fetch(url)).status).toBe(404);
    }
    expect(await statusOf(id)).toBe('SUSPENDED');
    // What the signature binds is not the row's to change.
    await api.app.pool.query(`UPDATE approval_link SET attempt = 2, decision = 'approve'`);
    expect((await tell(other)).status).toBe(404);
    expect((await tell(one)).status).toBe(404);
  });

  test('it is over with its time, with the attempt that it was made for, and refused again as long as a window is closed', async () => {
    const id = await asked('5');
    const short = await link(id, grace, { expiresIn: 1 });
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await (await fetch(short)).text()).toContain('this link expired at');
    expect((await press(short)).status).toBe(409);

    const held = await link(id, grace);
    await api.save('ReleaseWindow', 'quiet', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00:00Z',
      to: '2099-01-01T00:00:00Z',
      selector: { environments: { names: ['staging'] }, products: {} },
      holds: ['APPROVE'],
      onClose: 'FINISH',
      runway: false,
    });
    const closed = await tell(held);
    expect([closed.status, await closed.json()]).toMatchObject([
      409,
      { errors: [{ extensions: { code: 'WINDOW_CLOSED' } }] },
    ]);
    await api.app.pool.query(`DELETE FROM release_window`);
    await api.app.pool.query(`UPDATE definition_clock SET revision = revision + 1`);

    const old = await link(id, grace);
    expect((await tell(await link(id, grace, { decision: 'reject' }))).status).toBe(200);
    await api.ask(`mutation ($id: ID!) { releaseRetry(input: { releaseId: $id }) { userErrors { message } } }`, { id });
    await api.reached(id, (state) => state.promotions[1]?.attempt === 2 && state.promotions[1].approval !== null);
    const late = await tell(old);
    expect([late.status, await late.json()]).toMatchObject([
      409,
      { errors: [{ message: 'staging is in attempt 2, this decision is about attempt 1' }] },
    ]);
    expect((await tell(await link(id, grace))).status).toBe(200);
  });

  test('it ends when the token that it was made with is revoked, or that the session rested on', async () => {
    const id = await asked('5b');
    const input = { releaseId: id, environment: 'staging', decision: 'approve' as const };
    const scope = [{ role: 'ADMIN' as const, products: {}, environments: {} }];
    await createGrant(api.app, { ...scope[0]!, subjectKind: 'USER', subject: 'grace' }, null);
    const wanted = { name: 'for links', subjectKind: 'USER' as const, subject: 'grace', scope, expiresAt: null };
    const token = (await createToken(api.app, wanted, null)).value?.stored.id ?? '';
    const urls: string[] = [];
    for (const by of [{ credential: `token ${token}` }, { credential: 'session/1', restsOn: `token ${token}` }]) {
      const made = await createApprovalLink(api.app, input, grace, by);
      urls.push(`${server.url}${new URL(made.value?.url ?? '').pathname}`);
    }
    for (const url of urls) expect((await fetch(url)).status).toBe(200);
    await api.app.pool.query('UPDATE api_token SET revoked_at = now()');
    for (const url of urls) {
      const late = await tell(url);
      expect([late.status, await late.json()]).toMatchObject([
        409,
        { errors: [{ message: 'this link ended: the token that it was made with was revoked' }] },
      ]);
    }
    expect((await api.reached(id, () => true)).promotions[1]?.approval?.decisions).toEqual([]);
  });

  test('it ends when whoever made it may not approve there any more', async () => {
    const id = await asked('5c');
    const input = { releaseId: id, environment: 'staging', decision: 'approve' as const };
    const given = { subjectKind: 'GROUP' as const, subject: 'sre', role: 'APPROVER' as const };
    const place = { products: { names: ['linked'] }, environments: { names: ['staging'] } };
    const grant = (await createGrant(api.app, { ...given, ...place }, null)).value!.id;
    await api.app.pool.query(`DELETE FROM role_grant WHERE subject = 'grace'`);
    const made = await createApprovalLink(api.app, input, grace, { credential: 'oidc https://login.example.com' });
    const url = `${server.url}${new URL(made.value?.url ?? '').pathname}`;
    expect((await fetch(url)).status).toBe(200);
    await deleteGrant(api.app, { id: grant }, null);
    const late = await tell(url);
    expect([late.status, await late.json()]).toMatchObject([
      409,
      { errors: [{ message: 'this link ended: its maker, grace, is no longer allowed to approve there' }] },
    ]);
    expect((await api.reached(id, () => true)).promotions[1]?.approval?.decisions).toEqual([]);
  });

  test('who may make one, and for whom', async () => {
    const id = await asked('6');
    const input = { releaseId: id, environment: 'staging', decision: 'approve' as const };
    const refusals = async (more: Partial<NewApprovalLink>, caller: Caller | null): Promise<string | undefined> =>
      (await createApprovalLink(api.app, { ...input, ...more }, caller)).refusals?.[0]?.message;
    expect(await refusals({ approver: 'linus' }, grace)).toContain('grace can make links for no other person');
    expect(await refusals({ approver: 'mary' }, bot)).toContain('mary is not among those who decide on staging');
    // What a messenger says of groups is not believed.
    expect(await refusals({ approver: 'grace' }, bot)).toContain('grace is not among those who decide');
    expect(await refusals({}, null)).toBe('the caller is not signed in: say whose link it is');
    expect(await refusals({ approver: 'linus' }, null)).toMatch(
      /^test is the initiator .* the maker of the link of linus is unknown/,
    );
    expect(await refusals({ approver: ' ' }, bot)).toContain('1 to 200 characters');
    expect(await refusals({ environment: 'dev' }, grace)).toBe('dev needs no approval');
    expect(await refusals({ expiresIn: 0 }, grace)).toContain('at most 30 days');
    const key = { idempotencyKey: `k-${id}` };
    const [one, two] = [await link(id, grace, key), await link(id, grace, key)];
    expect(two).toBe(one);

    const create = `mutation ($input: ApprovalLinkCreateInput!) { approvalLinkCreate(input: $input) { url expiresAt promotion { name } userErrors { code message path } } }`;
    const made = await api.askAs('grace @sre', create, {
      input: { releaseId: id, environment: 'staging', decision: 'APPROVE', expiresIn: '1h' },
    });
    expect(made.approvalLinkCreate).toMatchObject({ promotion: { name: 'staging' }, userErrors: [] });
    expect(new URL(made.approvalLinkCreate.url).pathname).toMatch(/^\/approvals\/[\w-]{22}\.[\w-]{43}$/);
    await expect(
      api.askAs(
        'grace @sre',
        create,
        { input: { releaseId: id, environment: 'staging', decision: 'APPROVE' } },
        'RELEASER',
      ),
    ).rejects.toThrow('is not allowed to APPROVE');
  });

  test('the key is kept in the database, or a setting; two servers agree on it', async () => {
    const other = await api.another();
    const id = await asked('7');
    const made = await createApprovalLink(other, { releaseId: id, environment: 'staging', decision: 'approve' }, grace);
    expect((await fetch(`${server.url}${new URL(made.value?.url ?? '').pathname}`)).status).toBe(200);
    const { rows } = await api.app.pool.query<{ key: string }>('SELECT key FROM signing_key');
    expect(rows).toHaveLength(1);
    const keyed = { ...other, config: { ...other.config, signingKey: 'x'.repeat(32) } };
    const foreign = await createApprovalLink(
      keyed,
      { releaseId: id, environment: 'staging', decision: 'approve' },
      grace,
    );
    expect((await fetch(`${server.url}${new URL(foreign.value?.url ?? '').pathname}`)).status).toBe(404);
  });
});
