import type { Client } from '../../src/cli/client.ts';
import { manifest, orderOn } from './order.ts';

const GROUPS = 24;
const IN_EACH = 20;
/** In no group: each with a card of its own, behind each other and beside each other. */
const ALONE = 20;

/** A release of 500 environments, which waits for a person before its last groups. @returns its id */
export async function playWide(client: Client): Promise<string> {
  const alone = Array.from({ length: ALONE }, (_, at) => `site-${at + 1}`);
  const groups = Array.from({ length: GROUPS }, (_, group) => ({
    name: `region-${group + 1}`,
    members: Array.from({ length: IN_EACH }, (_each, at) => `r${group + 1}-${at + 1}`),
  }));
  const environments = [...alone, ...groups.flatMap(({ members }) => members)];
  const steps = [
    ...alone.slice(1).map((environment, at) => ({ environment, dependsOn: [alone[Math.floor(at / 3)]!] })),
    ...groups.map(({ name }, at) => ({
      group: name,
      dependsOn: [at < 6 ? alone.at(-1)! : `region-${at - 5}`],
      ...(at === 12 ? { approval: { rules: [], forbidInitiator: false } } : {}),
    })),
  ];
  // One request takes 1,000 documents.
  const places = [
    ...environments.map((name) => manifest('Environment', name, { kind: 'NON_PRODUCTION' })),
    ...groups.map(({ name, members }) =>
      manifest('EnvironmentGroup', name, { environments: { names: members }, gate: { policy: 'ALL' } }),
    ),
  ];
  const releases = [
    manifest('PromotionFlow', 'worldwide', { triggerEnvironment: alone[0], steps }),
    manifest('Product', 'edge', { promotionFlows: [{ name: 'worldwide' }] }),
    ...environments.map((environment) =>
      manifest('Application', `edge-${environment}`, {
        product: 'edge',
        environment,
        driver: { type: 'simulate' },
        health: { type: 'none' },
      }),
    ),
  ];
  const order = orderOn(client);
  for (const documents of [places, releases])
    await order('manifestsApply', 'ManifestsApplyInput', { text: documents.join('\n---\n') });
  await order('apiTokenCreate', 'ApiTokenCreateInput', { name: 'CI of edge', subject: 'ci-edge' });
  const { release } = await order<{ release: { uuid: string } }>(
    'releaseTrigger',
    'ReleaseTriggerInput',
    { product: 'edge', version: '1.0.0' },
    'release { uuid }',
  );
  const query = `query ($id: ID!) { release(id: $id) { counts { suspended } } }`;
  for (;;) {
    const { release: now } = await client.ask<{ release: { counts: { suspended: number } } }>(query, {
      id: release.uuid,
    });
    if (now.counts.suspended >= IN_EACH) return release.uuid;
    await new Promise((done) => setTimeout(done, 200));
  }
}
