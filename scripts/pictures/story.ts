import { createHmac, randomBytes } from 'node:crypto';
import type { Client } from '../../src/cli/client.ts';
import { manifest, orderOn } from './order.ts';

/** The ids of the releases that are worth a picture. */
export interface Story {
  /** Waits for a person. */
  waiting: string;
  /** Failed in `us-east` after it was everywhere. */
  failed: string;
  /** Takes that one back, and waits for a person at `asia-2`. */
  rollback: string;
}

const REGIONS = ['us-east', 'eu', 'asia'];
const ENVIRONMENTS = ['dev', 'staging', ...REGIONS, 'asia-2'];
const PRODUCTS = ['billing', 'search', 'checkout', 'identity'];
/** A person agrees before their production. */
const ASKING = ['billing', 'checkout'];

const MANIFESTS = [
  ...ENVIRONMENTS.map((name, index) =>
    manifest('Environment', name, { kind: index < 2 ? 'NON_PRODUCTION' : 'PRODUCTION' }),
  ),
  manifest('EnvironmentGroup', 'regions', { environments: { names: REGIONS }, gate: { policy: 'ALL' } }),
  manifest('PromotionWorkflow', 'smoke-tests', {
    actions: ['api', 'database', 'checkout'].map((name) => ({
      name,
      type: 'simulate',
      parameters: { duration: '200ms', outputs: { tests: '124 passed' } },
    })),
  }),
  ...['billing-flow', 'fast-flow'].map((name) =>
    manifest('PromotionFlow', name, {
      triggerEnvironment: 'dev',
      steps: [
        { environment: 'staging', dependsOn: ['dev'], policy: { preAction: 'smoke-tests' } },
        {
          group: 'regions',
          dependsOn: ['staging'],
          ...(name === 'fast-flow'
            ? {}
            : { approval: { rules: [{ name: 'release managers', count: 1 }], forbidInitiator: false } }),
        },
        { environment: 'asia-2', dependsOn: ['regions'] },
      ],
      rollbackPolicies: [
        {
          when: { groups: ['regions'] },
          targets: [
            { siblings: true, condition: 'SAME_VERSION', mode: 'AUTOMATIC' },
            { environments: ['asia-2'], condition: 'SAME_VERSION', mode: 'APPROVAL' },
          ],
          maxFailureAge: '1h',
          onTargetFailure: 'CONTINUE',
          markBad: { scope: 'PRODUCT', expiresAfter: '168h' },
        },
      ],
    }),
  ),
  ...PRODUCTS.map((name) =>
    manifest('Product', name, {
      promotionFlows: [{ name: ASKING.includes(name) ? 'billing-flow' : 'fast-flow' }],
      trigger: { coalesce: '60s' },
    }),
  ),
  ...PRODUCTS.flatMap((product) =>
    ENVIRONMENTS.map((environment) =>
      manifest('Application', `${product}-${environment}`, {
        product,
        environment,
        driver: { type: 'simulate', duration: '100ms' },
        health: { type: 'simulate', sequence: ['HEALTHY'] },
      }),
    ),
  ),
  manifest('ReleaseWindow', 'office-hours', {
    kind: 'ALLOW',
    timeZone: 'Europe/Berlin',
    cron: '0 8 * * MON-FRI',
    duration: '9h',
    selector: { environments: { names: ['us-*'] }, products: { names: ['catalog'] } },
  }),
  manifest('ReleaseWindow', 'nightly-backup', {
    kind: 'DENY',
    timeZone: 'America/New_York',
    cron: '0 2 * * *',
    duration: '90m',
    selector: { environments: { names: ['asia*'] }, products: {} },
  }),
];

interface Shown {
  uuid: string;
  status: string;
  promotions: { id: string; name: string; status: string; approval: { status: string } | null }[];
}

/** Fills an empty server with what a small company has on a busy day. */
export async function playStory(client: Client): Promise<Story> {
  const order = orderOn(client);
  const until = async (id: string, isThere: (release: Shown) => boolean): Promise<Shown> => {
    const query = `query ($id: ID!) { release(id: $id) { uuid status promotions { id name status approval { status } } } }`;
    for (;;) {
      const { release } = await client.ask<{ release: Shown }>(query, { id });
      if (isThere(release)) return release;
      await new Promise((done) => setTimeout(done, 100));
    }
  };
  const trigger = async (product: string, version: string): Promise<string> => {
    const input = { product, version };
    const { release } = await order<{ release: Shown }>(
      'releaseTrigger',
      'ReleaseTriggerInput',
      input,
      'release { uuid }',
    );
    return release.uuid;
  };
  const asks = ({ promotions }: Shown) => promotions.filter(({ approval }) => approval?.status === 'OPEN');
  const approve = async (id: string): Promise<void> => {
    for (const { id: promotionId } of asks(await until(id, (release) => asks(release).length === REGIONS.length)))
      await order('promotionApprove', 'PromotionDecisionInput', { promotionId, comment: 'tests are green' });
  };
  const released = async (product: string, version: string): Promise<string> => {
    const id = await trigger(product, version);
    if (ASKING.includes(product)) await approve(id);
    await until(id, ({ status }) => status === 'SUCCEEDED');
    return id;
  };

  const administer = async (): Promise<void> => {
    const grants = [
      { subject: 'release-managers', subjectKind: 'GROUP', role: 'APPROVER', environments: { kinds: ['PRODUCTION'] } },
      { subject: 'payments', subjectKind: 'GROUP', role: 'OPERATOR', products: { names: ['billing', 'checkout'] } },
      { subject: 'ci-billing', subjectKind: 'SERVICE_ACCOUNT', role: 'RELEASER', products: { names: ['billing'] } },
    ];
    for (const grant of grants)
      await order('roleGrantCreate', 'RoleGrantCreateInput', { products: {}, environments: {}, ...grant });
    const chat = { name: 'slack-token', secretValue: 'not a real one', hosts: ['hooks.example.com'] };
    await order('secretSet', 'SecretSetInput', chat);
    const key = randomBytes(32);
    const value = `whsec_${key.toString('base64')}`;
    const monitor = { name: 'monitor-2026', secretValue: value, webhook: { source: 'monitor' } };
    await order('secretSet', 'SecretSetInput', monitor);
    const data = { product: 'search', environment: 'eu', status: 'SUCCEEDED', message: 'No errors for 10 minutes' };
    const body = JSON.stringify({ type: 'rollout.report', data });
    const [id, at] = ['msg_2f6c81', String(Math.floor(Date.now() / 1000))];
    const signature = createHmac('sha256', key).update(`${id}.${at}.${body}`).digest('base64');
    const answer = await fetch(`${client.server}/hooks/rollouts/monitor`, {
      method: 'POST',
      headers: { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': `v1,${signature}` },
      body,
    });
    if (!answer.ok) throw new Error(`the delivery: ${answer.status} ${await answer.text()}`);
  };

  await order('manifestsApply', 'ManifestsApplyInput', { text: MANIFESTS.join('\n---\n') });
  await Promise.all(PRODUCTS.map((product, index) => released(product, `${index + 1}.4.0`)));
  const [failed] = await Promise.all([released('billing', '1.5.0'), released('search', '2.5.1')]);
  const hold = { environment: 'eu', product: 'identity', reason: 'The database of eu is being moved' };
  await order('environmentHold', 'EnvironmentHoldInput', hold);
  await trigger('identity', '4.5.0');
  const report = {
    product: 'billing',
    environment: 'us-east',
    status: 'FAILED',
    message: 'Error rate 12 % since 1.5.0',
  };
  const { rollback } = await order<{ rollback: { uuid: string } }>(
    'rolloutReport',
    'RolloutReportInput',
    report,
    'rollback { uuid }',
  );
  await until(
    rollback.uuid,
    ({ promotions }) => promotions.filter(({ status }) => status === 'SUCCEEDED').length === 3,
  );
  await order('triggerPause', 'TriggerPauseInput', { product: 'identity', reason: 'Its database is being moved' });
  const runs = { application: 'search-dev', version: '2.6.0' };
  await order('deploymentReport', 'DeploymentReportInput', runs);
  const waiting = await trigger('checkout', '3.5.0');
  await until(waiting, (release) => asks(release).length === REGIONS.length);
  await administer();
  return { waiting, failed, rollback: rollback.uuid };
}
