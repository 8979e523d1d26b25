import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { approvalOf } from '../core/support/builders.ts';
import { openTestApi } from './support/api.ts';
import type { TestApi } from './support/api.ts';

const ERRORS = 'userErrors { __typename code message path ... on WindowClosedError { windowNames nextOpen } }';
const trigger = `mutation ($input: ReleaseTriggerInput!) { releaseTrigger(input: $input) { release { id uuid shortId } ${ERRORS} } }`;
const decide = (verb: 'Approve' | 'Reject'): string =>
  `mutation ($input: PromotionDecisionInput!) { promotion${verb}(input: $input) {
     promotion { name status approval { status missing decisions { kind by comment via } } } ${ERRORS} } }`;
const list = `query ($first: Int, $after: String, $filter: ApprovalFilterInput) {
  approvals(first: $first, after: $after, filter: $filter) {
    nodes { id name release { productName version { label } } approval { missing viewerCanApprove } } pageInfo { hasNextPage endCursor } } }`;

describe('approvals over the API', () => {
  let api: TestApi;
  beforeAll(async () => {
    api = await openTestApi();
    await api.startWorker();
  });
  afterAll(() => api.close());

  const asked = async (
    product: string,
    version: string,
    who = 'ada',
  ): Promise<{ id: string; uuid: string; shortId: string }> => {
    const { releaseTrigger } = await api.askAs(who, trigger, { input: { product, version } });
    expect(releaseTrigger.userErrors).toEqual([]);
    const { release } = releaseTrigger;
    await api.reached(release.uuid, (state) => state.promotions[1]?.approval !== null);
    return release;
  };

  test('a step says who approves, in and out', async () => {
    const save = `mutation ($input: PromotionFlowSaveInput!) { promotionFlowSave(input: $input) { promotionFlow {
      steps { approval { rules { name count users groups roles } forbidInitiator expiry onExpiry } } } ${ERRORS} } }`;
    await api.saveBilling('shapes');
    const input = {
      name: 'shapes-flow',
      triggerEnvironment: 'dev',
      steps: [
        { environment: 'staging', dependsOn: ['dev'], approval: {} },
        {
          environment: 'eu',
          dependsOn: ['staging'],
          approval: {
            rules: [{ name: 'ops', groups: ['sre'] }, { count: 2 }],
            expiry: '2h',
            onExpiry: 'WAIT',
            forbidInitiator: false,
          },
        },
      ],
    };
    const saved = await api.ask(save, { input });
    expect(saved.promotionFlowSave.userErrors).toEqual([]);
    expect(saved.promotionFlowSave.promotionFlow.steps.map((each: { approval: unknown }) => each.approval)).toEqual([
      { rules: [], forbidInitiator: true, expiry: '24h', onExpiry: 'FAIL' },
      {
        rules: [
          { name: 'ops', count: 1, users: null, groups: ['sre'], roles: null },
          { name: null, count: 2, users: null, groups: null, roles: null },
        ],
        forbidInitiator: false,
        expiry: '2h',
        onExpiry: 'WAIT',
      },
    ]);
    const never = {
      ...input,
      steps: [{ environment: 'eu', dependsOn: ['dev'], approval: { rules: [{ count: 2, users: ['ada'] }] } }],
    };
    const refused = await api.ask(save, { input: never });
    expect(refused.promotionFlowSave.userErrors).toMatchObject([
      { code: 'INVALID', path: ['input', 'steps', '0', 'approval', 'rules'] },
    ]);
  });

  test('a step of a workflow asks, is listed, shown and answered by its name', async () => {
    await api.saveBilling('midway');
    const sign = {
      name: 'sign-off',
      type: 'approval' as const,
      parameters: { question: 'Quiet?', rules: [{ groups: ['sre'] }] },
    };
    await api.save('PromotionWorkflow', 'checks', { actions: [sign] });
    const { releaseTrigger } = await api.askAs('ada', trigger, { input: { product: 'midway', version: '1' } });
    const { id, uuid } = releaseTrigger.release;
    await api.reached(uuid, (state) => state.promotions[1]?.status === 'SUSPENDED');
    const step = 'midway-staging/PRE_ACTION/sign-off';
    const { approvals } = await api.askAs('grace @sre', list, { filter: { product: 'midway', forMe: true } });
    expect(approvals.nodes).toMatchObject([{ name: 'staging', approval: null }]);
    expect((await api.askAs('linus', list, { filter: { product: 'midway', forMe: true } })).approvals.nodes).toEqual(
      [],
    );
    const show = `query ($id: ID!) { release(id: $id) {
      promotions { steps { name approval { step question status missing viewerCanApprove } } }
      waitingFor { __typename who ... on WaitingForApproval { approval { step } } } } }`;
    const { promotions, waitingFor } = (await api.askAs('grace @sre', show, { id })).release;
    expect(waitingFor[0]).toEqual({ __typename: 'WaitingForApproval', who: '1 of group sre', approval: { step } });
    expect(promotions[1].steps[0]).toEqual({
      name: step,
      approval: { step, question: 'Quiet?', status: 'OPEN', missing: 1, viewerCanApprove: true },
    });
    const place = { releaseId: uuid, environment: 'staging' };
    const start = await api.askAs('grace @sre', decide('Approve'), { input: place });
    expect(start.promotionApprove.userErrors).toMatchObject([
      { code: 'WRONG_STATE', message: expect.stringContaining(step) },
    ]);
    const other = await api.askAs('linus', decide('Approve'), { input: { ...place, step } });
    expect(other.promotionApprove.userErrors).toMatchObject([{ code: 'NOT_AN_APPROVER' }]);
    const said = await api.askAs('grace @sre', decide('Approve'), { input: { ...place, step: 'sign-off' } });
    expect(said.promotionApprove.userErrors).toEqual([]);
    expect((await api.ended(uuid)).status).toBe('SUCCEEDED');
    const events = `query ($id: ID!) { releaseEventLog(first: 100, filter: { releaseId: $id, types: [ApprovalRequested, ApprovalGranted] }) {
      edges { node { ... on ApprovalRequested { step } ... on ApprovalGranted { step approvedBy } } } } }`;
    await expect
      .poll(async () => (await api.ask(events, { id })).releaseEventLog.edges.map(({ node }: { node: object }) => node))
      .toEqual([{ step }, { step, approvedBy: 'grace' }]);
  });

  test('what is asked, by whom it can be answered, and how far it is', async () => {
    await api.saveBilling('shown', { approvals: { staging: approvalOf('1 of @sre; 1') } });
    const { id, uuid } = await asked('shown', '1');
    const show = `query ($id: ID!) { release(id: $id) { promotions { id name approval { status attempt requestedAt expiresAt onExpiry
      forbidInitiator initiator missing viewerCanApprove rules { rule { count groups } missing approvals { by } } decisions { by } } }
      waitingFor { __typename message who earliest ... on WaitingForApproval { approval { missing } } } } }`;
    const before = (await api.askAs('grace @sre', show, { id })).release;
    expect(before.promotions[0].approval).toBeNull();
    expect(before.promotions[1].approval).toMatchObject({
      status: 'OPEN',
      attempt: 1,
      onExpiry: 'FAIL',
      forbidInitiator: true,
      initiator: 'ada',
      missing: 2,
      viewerCanApprove: true,
      rules: [
        { rule: { count: 1, groups: ['sre'] }, missing: 1, approvals: [] },
        { rule: { count: 1, groups: [] }, missing: 1, approvals: [] },
      ],
      decisions: [],
    });
    expect(before.waitingFor[0]).toEqual({
      __typename: 'WaitingForApproval',
      message: 'staging: needs the approval of 1 of group sre and 1 person who may approve',
      who: '1 of group sre and 1 person who may approve',
      earliest: null,
      approval: { missing: 2 },
    });
    expect((await api.askAs('ada @sre', show, { id })).release.promotions[1].approval.viewerCanApprove).toBe(false);
    expect(
      (await api.askAs('grace @sre', show, { id }, 'RELEASER')).release.promotions[1].approval.viewerCanApprove,
    ).toBe(false);

    const promotionId = before.promotions[1].id;
    const approved = await api.askAs('grace @sre', decide('Approve'), { input: { promotionId, comment: ' fine ' } });
    expect(approved.promotionApprove).toEqual({
      promotion: {
        name: 'staging',
        status: 'SUSPENDED',
        approval: {
          status: 'OPEN',
          missing: 1,
          decisions: [{ kind: 'APPROVED', by: 'grace', comment: 'fine', via: 'API' }],
        },
      },
      userErrors: [],
    });
    const after = (await api.askAs('grace @sre', show, { id })).release.promotions[1].approval;
    expect(after).toMatchObject({
      viewerCanApprove: false,
      rules: [{ missing: 0, approvals: [{ by: 'grace' }] }, { missing: 1 }],
    });
    await api.askAs('linus', decide('Approve'), { input: { releaseId: uuid, environment: 'staging' } });
    expect((await api.ended(uuid)).status).toBe('SUCCEEDED');
    const events = `query ($id: ID!) { releaseEventLog(first: 100, filter: { releaseId: $id, types: [ApprovalRequested, ApprovalGiven, ApprovalGranted] }) {
      edges { node { __typename ... on ApprovalGiven { by missing environment } ... on ApprovalRequested { needed } ... on ApprovalGranted { approvedBy } } } } }`;
    await expect
      .poll(async () => (await api.ask(events, { id })).releaseEventLog.edges.map(({ node }: { node: object }) => node))
      .toEqual([
        { __typename: 'ApprovalRequested', needed: '1 of group sre and 1 person who may approve' },
        { __typename: 'ApprovalGiven', by: 'grace', missing: 1, environment: 'staging' },
        { __typename: 'ApprovalGiven', by: 'linus', missing: 0, environment: 'staging' },
        { __typename: 'ApprovalGranted', approvedBy: 'grace, linus' },
      ]);
  });

  test('who may not approve there is refused before anything is looked at', async () => {
    await api.saveBilling('guarded', { approvals: { staging: approvalOf('1') } });
    const { id } = await asked('guarded', '1');
    const input = { releaseId: id, environment: 'staging' };
    await expect(api.askAs('grace', decide('Approve'), { input }, 'OPERATOR')).rejects.toThrow(
      'grace is not allowed to APPROVE',
    );
    await expect(api.askAs('grace', decide('Reject'), { input }, 'VIEWER')).rejects.toThrow(
      'grace is not allowed to APPROVE',
    );
    const rejected = await api.askAs('grace', decide('Reject'), { input: { ...input, comment: 'no' } }, 'APPROVER');
    expect(rejected.promotionReject.promotion).toMatchObject({ status: 'FAILED', approval: { status: 'REJECTED' } });
  });

  test('a decision that comes again with its key after a retry gets its first answer, also where it names its attempt', async () => {
    await api.saveBilling('again', { approvals: { staging: approvalOf('1') } });
    const { id, uuid } = await asked('again', '1');
    const errors = async (verb: 'Approve' | 'Reject', input: object) =>
      (await api.askAs('grace', decide(verb), { input: { releaseId: id, environment: 'staging', ...input } }))[
        `promotion${verb}`
      ].userErrors;
    const named = { attempt: 1, idempotencyKey: 'no' };
    expect(await errors('Reject', named)).toEqual([]);
    await api.ended(uuid);
    await api.ask(`mutation ($id: ID!) { releaseRetry(input: { releaseId: $id }) { userErrors { message } } }`, { id });
    await api.reached(uuid, ({ promotions }) => promotions[1]?.attempt === 2 && promotions[1].approval !== null);
    // Twice: the first repetition must not free the key.
    for (let time = 0; time < 2; time += 1) expect(await errors('Reject', named)).toEqual([]);
    expect(await errors('Reject', { ...named, idempotencyKey: 'another' })).toMatchObject([{ code: 'WRONG_STATE' }]);
    expect(await errors('Approve', { attempt: 2 })).toEqual([]);
  });

  test('refusals name the field and the fix', async () => {
    await api.saveBilling('wrong', { approvals: { staging: approvalOf('1') } });
    const { id, shortId } = await asked('wrong', '1');
    const errors = async (input: object) =>
      (await api.askAs('grace', decide('Approve'), { input })).promotionApprove.userErrors;
    expect(await errors({})).toMatchObject([{ code: 'INVALID', path: ['input'] }]);
    expect(await errors({ releaseId: id })).toMatchObject([{ code: 'INVALID' }]);
    expect(await errors({ releaseId: id, environment: 'stagin' })).toMatchObject([
      { code: 'NOT_FOUND', message: `release ${shortId} does not promote "stagin"; did you mean "staging"?` },
    ]);
    expect(await errors({ releaseId: 'nothing', environment: 'staging' })).toMatchObject([{ code: 'NOT_FOUND' }]);
    expect(await errors({ promotionId: 'nothing' })).toMatchObject([
      { code: 'NOT_FOUND', path: ['input', 'promotionId'] },
    ]);
    expect(await errors({ promotionId: 'x', releaseId: id })).toMatchObject([{ code: 'INVALID' }]);
    expect(await errors({ releaseId: id, environment: 'dev' })).toMatchObject([
      { code: 'WRONG_STATE', message: 'dev needs no approval', path: ['input', 'environment'] },
    ]);
    expect(await errors({ releaseId: id, environment: 'staging', attempt: 2 })).toMatchObject([
      { code: 'WRONG_STATE' },
    ]);
    expect(await errors({ releaseId: id, environment: 'staging', comment: 'x'.repeat(2001) })).toMatchObject([
      { code: 'INVALID', path: ['input', 'comment'] },
    ]);
    await api.save('ReleaseWindow', 'quiet', {
      kind: 'DENY',
      timeZone: 'UTC',
      from: '2020-01-01T00:00:00Z',
      to: '2099-01-01T00:00:00Z',
      selector: { environments: { names: ['staging'] }, products: { names: ['wrong'] } },
      holds: ['APPROVE'],
      onClose: 'FINISH',
      runway: false,
    });
    expect(await errors({ releaseId: id, environment: 'staging' })).toMatchObject([
      { __typename: 'WindowClosedError', code: 'WINDOW_CLOSED', windowNames: ['quiet'], nextOpen: null },
    ]);
  });

  test('what waits for an approval, page by page, of a product, for me', async () => {
    await api.saveBilling('list-a', { approvals: { regions: approvalOf('1 of @sre') } });
    const first = await api.askAs('ada', trigger, { input: { product: 'list-a', version: '1' } });
    await api.reached(first.releaseTrigger.release.uuid, (state) => state.status === 'SUSPENDED');
    await api.saveBilling('list-b', { approvals: { staging: approvalOf('1') } });
    await asked('list-b', '1', 'mary');
    const names = ({ approvals }: { approvals: { nodes: { name: string; release: { productName: string } }[] } }) =>
      approvals.nodes.map((each) => `${each.release.productName} ${each.name}`);
    const of = async (who: string, filter: object, more = {}) => api.askAs(who, list, { filter, ...more });
    expect(names(await of('ada', { product: 'list-a' }))).toEqual(['list-a asia', 'list-a eu', 'list-a us-east']);
    expect(names(await of('linus', { product: 'list-a', forMe: true }))).toEqual([]);
    expect(names(await of('grace @sre', { product: 'list-a', forMe: true }))).toHaveLength(3);
    expect(names(await of('ada', { product: 'list-b', forMe: true }))).toEqual(['list-b staging']);
    expect(names(await of('mary', { product: 'list-b', forMe: true }))).toEqual([]);
    const page = await of('ada', { product: 'list-a' }, { first: 2 });
    expect(page.approvals.pageInfo.hasNextPage).toBe(true);
    const after = page.approvals.pageInfo.endCursor;
    const rest = await of('ada', { product: 'list-a' }, { first: 2, after });
    expect(names(rest)).toEqual(['list-a us-east']);
    expect(rest.approvals.pageInfo.hasNextPage).toBe(false);
    const [wrong] = await api.errorsOf(list, { after: Buffer.from('k:zzz').toString('base64url') });
    expect(wrong?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', argument: 'after' });
  });

  test('an inbox is counted, says since when and until when, and tells what changes it', async () => {
    await api.saveBilling('inbox', { approvals: { regions: approvalOf('1 of @sre') } });
    const count = `query ($filter: ApprovalFilterInput, $first: Int) { approvals(filter: $filter, first: $first) {
      totalCount isTotalCapped lastCursor nodes { openApprovals { step requestedAt expiresAt missing viewerCanApprove } } } }`;
    const filter = { product: 'inbox' };
    const before = (await api.askAs('grace @sre', count, { filter })).approvals;
    expect(before).toMatchObject({ totalCount: 0, isTotalCapped: false, nodes: [] });
    const changes = await api.follow(
      'grace @sre',
      `subscription ($after: String) { approvalEvents(after: $after, product: "inbox") {
        cursor type isWaiting isForMe promotion { name release { productName } openApprovals { requestedAt } } } }`,
      { after: before.lastCursor },
    );
    const { releaseTrigger } = await api.askAs('ada', trigger, { input: { product: 'inbox', version: '1' } });
    const asking = [await changes.next(), await changes.next(), await changes.next()].map(
      ({ value }) => value.approvalEvents,
    );
    expect(asking.map(({ type, isForMe, promotion }) => [type, isForMe, promotion.name])).toEqual(
      ['us-east', 'eu', 'asia'].sort().map((name) => ['ApprovalRequested', true, name]),
    );
    expect(asking[0].promotion).toMatchObject({
      release: { productName: 'inbox' },
      openApprovals: [{ requestedAt: expect.any(String) }],
    });
    const now = (await api.askAs('grace @sre', count, { filter: { ...filter, forMe: true }, first: 1 })).approvals;
    expect(now).toMatchObject({ totalCount: 3, isTotalCapped: false });
    const [{ requestedAt, expiresAt, ...open }] = now.nodes[0].openApprovals;
    expect(open).toEqual({ step: null, missing: 1, viewerCanApprove: true });
    expect(Date.parse(expiresAt) - Date.parse(requestedAt)).toBe(24 * 3_600_000);
    expect((await api.askAs('linus', count, { filter: { ...filter, forMe: true } })).approvals.totalCount).toBe(0);

    const input = { releaseId: releaseTrigger.release.id, environment: 'eu' };
    await api.askAs('grace @sre', decide('Approve'), { input });
    const told = (await changes.next()).value.approvalEvents;
    expect(told).toMatchObject({ type: 'ApprovalGiven', isWaiting: false, isForMe: false, promotion: { name: 'eu' } });
    expect((await api.askAs('grace @sre', count, { filter })).approvals.totalCount).toBe(2);
    // Cut off, and followed again from the last cursor: what came meanwhile comes.
    await changes.return?.();
    const again = await api.follow(
      'grace @sre',
      'subscription ($after: String) { approvalEvents(after: $after, product: "inbox") { type } }',
      { after: asking[2].cursor },
    );
    expect((await again.next()).value.approvalEvents).toEqual({ type: 'ApprovalGiven' });
    await again.return?.();
  });

  test('without authentication: nobody in particular approves what names nobody, and nothing else', async () => {
    const { releaseTrigger } = await (async () => {
      await api.saveBilling('open', { approvals: { staging: approvalOf('1'), regions: approvalOf('1 of grace') } });
      return api.ask(trigger, { input: { product: 'open', version: '1' } }, null);
    })();
    const { uuid } = releaseTrigger.release;
    await api.reached(uuid, (state) => state.promotions[1]?.approval !== null);
    const yes = await api.ask(decide('Approve'), { input: { releaseId: uuid, environment: 'staging' } }, null);
    expect(yes.promotionApprove.userErrors).toEqual([]);
    await api.reached(uuid, (state) => state.promotions[3]?.approval !== null);
    const no = await api.ask(decide('Approve'), { input: { releaseId: uuid, environment: 'eu' } }, null);
    expect(no.promotionApprove.userErrors).toMatchObject([
      {
        code: 'NOT_AN_APPROVER',
        message:
          'a caller who is not signed in is not among those who decide on eu: it needs the approval of 1 of grace',
      },
    ]);
  });
});
