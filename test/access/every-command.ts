import { receiveDelivery } from '../../src/commands/receive-delivery.ts';
import { createGrant } from '../../src/commands/access/change-grants.ts';
import { setSecret } from '../../src/commands/set-secret.ts';
import { startManualRollback } from '../../src/commands/start-manual-rollback.ts';
import { approvalOf } from '../core/support/builders.ts';
import { POLICY } from '../engine/rollback/support.ts';
import { newWebhookSecret, signWebhook } from '../support/webhooks.ts';
import { type GuardedServer, sessionOf, SOMEBODY } from './support.ts';

/** An order that changes something, for each mutation of the schema; in this order, since some need what others made. */
export type Sample = readonly [mutation: string, input: (of: Made) => object | Promise<object>];

/** What is there before the first one. */
export interface Made {
  guarded: GuardedServer;
  /** A release that waits for an approval in staging; another one each time. */
  asked: () => string;
  /** A rollback that proposes asia-2. */
  proposed: Record<'one' | 'two', string>;
  delivery: string;
  token: string;
  /** Of the web app. */
  session: string;
  grant: string;
  /** Candidates of three products, of a version that none was released of yet; the last one was dismissed. */
  candidates: Record<'one' | 'two' | 'three', string>;
}

const PRODUCTS = ['one', 'two', 'three'];

/** Two versions everywhere, a policy, and from then on an approval in staging. No worker is left that could move anything. */
export async function makeAll(guarded: GuardedServer): Promise<Made> {
  const { engine } = guarded;
  const worker = await engine.startWorker();
  for (const product of PRODUCTS) await engine.saveBilling(product, { rollbackPolicies: [POLICY] });
  for (const version of ['1', '2']) {
    const ids = await Promise.all(PRODUCTS.map((product) => engine.trigger({ product, version })));
    for (const id of ids) await engine.ended(id);
  }
  const approvals = { staging: approvalOf('1') };
  await engine.saveBilling('three', { rollbackPolicies: [POLICY], approvals, concurrency: 'PIPELINE' });
  const asked: string[] = [];
  for (let version = 10; version < 17; version += 1) {
    const id = await engine.trigger({ product: 'three', version: String(version) });
    await engine.reached(id, ({ promotions }) => promotions[1]?.approval !== null);
    asked.push(id);
  }
  await worker.close();
  const rollback = async (product: string): Promise<string> => {
    const order = { product, environments: ['eu'], reason: 'test' };
    const { value, refusals } = await startManualRollback(engine.app, order, 'somebody');
    if (refusals) throw new Error(JSON.stringify(refusals));
    return value.rollbackId;
  };
  return {
    guarded,
    asked() {
      const id = asked.shift();
      if (id === undefined) throw new Error('no release waits for an approval any more: make more of them');
      return id;
    },
    proposed: { one: await rollback('one'), two: await rollback('two') },
    delivery: await deliver(guarded),
    token: (await guarded.token('VIEWER')).id,
    session: await sessionOf(guarded),
    grant: (await createGrant(engine.app, grantOf('grace'), SOMEBODY)).value!.id,
    candidates: {
      one: await candidateOf(guarded, 'one', 'WAITING'),
      two: await candidateOf(guarded, 'two', 'WAITING'),
      three: await candidateOf(guarded, 'three', 'DISMISSED'),
    },
  };
}

const grantOf = (subject: string) =>
  ({ subjectKind: 'USER', subject, role: 'VIEWER', products: {}, environments: {} }) as const;

/** One that was refused, because it told of an environment that is not there. */
async function deliver({ engine }: GuardedServer): Promise<string> {
  const secret = newWebhookSecret();
  const use = { kind: 'WEBHOOK' as const, source: 'argo', products: [] };
  await setSecret(engine.app, { name: 'argo', value: secret, description: null, use }, null);
  const body = { product: 'one', environment: 'eu', version: '2', status: 'SUCCEEDED' };
  const message = { purpose: 'rollouts' as const, source: 'argo', address: null, ...signWebhook({ secret, body }) };
  const received = await receiveDelivery(engine.app, message);
  if (received.kind !== 'STORED') throw new Error(received.reason);
  await engine.app.pool.query(`UPDATE webhook_delivery SET status = 'REFUSED', outcome = 'not yet'`);
  return received.delivery.id;
}

/** As one stands in the database that nobody looks at. */
async function candidateOf({ engine }: GuardedServer, product: string, status: string): Promise<string> {
  const { rows } = await engine.app.pool.query<{ id: string }>(
    `INSERT INTO candidate (id, key, product, flow, environment, state, kind, status, reason, facts, created_at, coalesced_at, expires_at, ended_at)
     VALUES (gen_random_uuid(), $1, $1, 'to-production', 'dev', jsonb_build_object($1 || '-dev', '{"version": "30"}'::jsonb), 'DEPLOYMENT', $2, 'test',
       '{"since": 0, "commits": [], "deliveries": [], "explanation": []}', now(), now(), now(), CASE WHEN $2 = 'DISMISSED' THEN now() END)
     RETURNING id`,
    [product, status],
  );
  return rows[0]!.id;
}

const flow = (environment: string) => ({
  name: 'f',
  triggerEnvironment: 'lab',
  steps: [{ environment, dependsOn: ['lab'] }],
});
const APPLICATION = { product: 'shop', environment: 'lab', driver: { simulate: {} } };
const WORKFLOW = { actions: [{ name: 'wait', type: 'SIMULATE' }] };
const WINDOW = {
  kind: 'DENY',
  timeZone: 'UTC',
  times: { once: { from: '2020-01-01T00:00', to: '2099-01-01T00:00' } },
};
const MANIFEST =
  'apiVersion: sluice.dev/v1\nkind: Environment\nmetadata: { name: applied }\nspec: { kind: PRODUCTION }\n';

const only = (input: object) => () => input;
const labels = [{ key: 'changed', value: 'yes' }];
const where = { product: 'three', environment: 'staging' };

export const SAMPLES: readonly Sample[] = [
  ['environmentCreate', only({ name: 'lab', kind: 'NON_PRODUCTION' })],
  ['environmentUpdate', only({ name: 'lab', labels })],
  ['manifestsApply', only({ text: MANIFEST })],
  ['environmentDelete', only({ name: 'applied' })],
  ['environmentGroupCreate', only({ name: 'labs', environments: { names: ['lab'] } })],
  ['environmentGroupUpdate', only({ name: 'labs', labels })],
  ['environmentGroupDelete', only({ name: 'labs' })],
  ['productCreate', only({ name: 'shop' })],
  ['productUpdate', only({ name: 'shop', labels })],
  ['applicationCreate', only({ name: 'shop-lab', ...APPLICATION })],
  ['applicationUpdate', only({ name: 'shop-lab', labels })],
  ['healthReport', only({ application: 'shop-lab', status: 'HEALTHY' })],
  ['deploymentReport', only({ application: 'shop-lab', version: '1.0' })],
  ['applicationDelete', only({ name: 'shop-lab' })],
  ['productDelete', only({ name: 'shop' })],
  ['promotionWorkflowCreate', only({ name: 'w', ...WORKFLOW })],
  ['promotionWorkflowUpdate', only({ name: 'w', labels })],
  ['promotionWorkflowDelete', only({ name: 'w' })],
  ['promotionPolicyCreate', only({ name: 'p', priority: 1, policy: { action: 'COMMIT' } })],
  ['promotionPolicyUpdate', only({ name: 'p', labels })],
  ['promotionPolicyDelete', only({ name: 'p' })],
  ['gitSourceCreate', only({ name: 's', repoURL: 'file:///nowhere' })],
  ['gitSourceUpdate', only({ name: 's', labels })],
  ['gitSourceSync', only({ name: 's' })],
  ['gitSourceDelete', only({ name: 's' })],
  ['promotionTemplateCreate', only({ name: 't', promotion: [{ file: 'values.yaml', jsonPaths: ['$.image'] }] })],
  ['promotionTemplateUpdate', only({ name: 't', labels })],
  ['promotionTemplateDelete', only({ name: 't' })],
  ['definitionRestore', only({ kind: 'PromotionTemplate', name: 't', revision: 1, expectedRevision: 0 })],
  ['promotionFlowCreate', only(flow('dev'))],
  ['promotionFlowUpdate', only({ name: 'f', labels })],
  ['promotionFlowAddEnvironments', only({ name: 'f', after: ['dev'], environments: ['staging'] })],
  ['promotionFlowRemoveEnvironment', only({ name: 'f', environment: 'staging' })],
  [
    'promotionFlowApplyEdits',
    only({ name: 'f', edits: [{ addSteps: { steps: [{ environment: 'staging' }], after: ['dev'] } }] }),
  ],
  ['promotionFlowSave', only(flow('eu'))],
  ['promotionFlowDelete', only({ name: 'f' })],
  ['releaseTrigger', only({ product: 'three', version: '3' })],
  ['approvalLinkCreate', ({ asked }) => ({ ...decision(asked), decision: 'APPROVE', approver: 'ada' })],
  ['promotionApprove', ({ asked }) => decision(asked)],
  ['promotionReject', ({ asked }) => decision(asked)],
  ['releaseTerminate', ({ asked }) => ({ releaseId: asked() })],
  ['releaseRetry', async (of) => ({ releaseId: await terminated(of) })],
  ['promotionSkip', ({ asked }) => ({ releaseId: asked(), environment: 'staging', reason: 'closed' })],
  ['releaseWindowCreate', only({ name: 'quiet', ...WINDOW, selector: { environments: { names: ['staging'] } } })],
  [
    'windowOverride',
    ({ asked }) => ({
      releaseId: asked(),
      environment: 'staging',
      windows: ['quiet'],
      reason: 'urgent',
      expiresAt: '2098-01-01T00:00:00Z',
    }),
  ],
  ['releaseWindowUpdate', only({ name: 'quiet', labels })],
  ['releaseWindowDelete', only({ name: 'quiet' })],
  ['environmentHold', only({ ...where, reason: 'freeze' })],
  ['environmentRelease', only({ ...where, reason: 'over' })],
  ['versionMarkBad', only({ product: 'three', version: '2', reason: 'wrong prices' })],
  ['versionUnmarkBad', only({ product: 'three', version: '2', reason: 'right prices' })],
  ['rolloutReport', only({ product: 'three', environment: 'eu', version: '2', status: 'SUCCEEDED' })],
  ['rollbackStart', only({ product: 'three', environments: ['eu'], reason: 'customers complain' })],
  ['rollbackTargetApprove', ({ proposed }) => ({ rollbackId: proposed.one, environment: 'asia-2' })],
  ['rollbackTargetReject', ({ proposed }) => ({ rollbackId: proposed.two, environment: 'asia-2' })],
  ['candidateRelease', ({ candidates }) => ({ candidateId: candidates.one })],
  ['candidateDismiss', ({ candidates }) => ({ candidateId: candidates.two, reason: 'not that one' })],
  ['candidateRetry', ({ candidates }) => ({ candidateId: candidates.three })],
  ['triggerPause', only({ product: 'three', reason: 'a quiet week' })],
  ['triggerResume', only({ product: 'three' })],
  ['gitIdentitySet', only({ email: 'Ada@Example.com', user: 'ada' })],
  ['gitIdentityDelete', only({ email: 'ada@example.com' })],
  ['webhookDeliveryReplay', ({ delivery }) => ({ id: delivery })],
  ['secretSet', only({ name: 'hook', secretValue: 'long-enough-1', hosts: ['hooks.example.com'] })],
  ['secretsReseal', async (of) => (await otherKey(of), {})],
  ['secretDelete', only({ name: 'hook' })],
  ['apiTokenCreate', only({ name: 'n', subject: 's', scope: [{ role: 'VIEWER' }] })],
  ['apiTokenRevoke', ({ token }) => ({ id: token })],
  ['sessionEnd', ({ session }) => ({ id: session })],
  ['roleGrantCreate', only(grantOf('linus'))],
  ['roleGrantDelete', ({ grant }) => ({ id: grant })],
];

const decision = (asked: Made['asked']) => ({ releaseId: asked(), environment: 'staging' });

async function terminated({ asked, guarded: { engine } }: Made): Promise<string> {
  const id = asked();
  await engine.app.releaseEngine.tell(id, { kind: 'terminate', reason: 'test', by: null });
  await engine.ended(id);
  return id;
}

/** From now on another key seals. */
async function otherKey({ guarded: { engine } }: Made): Promise<void> {
  const { config } = engine.app;
  const next = Buffer.alloc(32, 7).toString('base64');
  Object.assign(config, { encryptionKeys: [next, ...config.encryptionKeys.filter((each) => each !== next)] });
}
