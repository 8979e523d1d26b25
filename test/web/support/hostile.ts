import type { GuardedServer } from '../../access/support.ts';
import { ADMIN } from '../../access/support.ts';
import { approvalOf } from '../../core/support/builders.ts';

/** As long as a name can be, and nothing in it at which a line could break. */
const longest = (what: string): string => `${what}-${'x'.repeat(62 - what.length)}`;
/** Markup, a script, letters from right to left, pictures, and a word that fits nowhere. */
const WORDS = `<img src=x onerror="document.title='broken'"><script>document.title='broken'</script> עברית 😀👩‍👩‍👧 ${'w'.repeat(100)}`;
const NAMES = {
  environment: longest('environment'),
  members: [longest('one'), longest('two')],
  group: longest('group'),
  flow: longest('flow'),
  workflow: longest('workflow'),
  product: longest('product'),
};

/** What must not be in a page, whatever names and reasons say: elements that they made, and links that are scripts. */
export const MADE_BY_WORDS = `[...document.querySelectorAll('img, main script, iframe, a[href^="javascript" i], a[href^="data" i]')]
  .map(({ outerHTML }) => 'made by words: ' + outerHTML).concat(document.title.includes('broken') ? ['a script in words ran'] : [])`;

/** A release of names and reasons as hard as the API takes them, which waits for a person. @returns addresses of pages that show them */
export async function defineHostile(guarded: GuardedServer): Promise<string[]> {
  const { engine } = guarded;
  const { environment, members, group, flow, workflow, product } = NAMES;
  for (const name of [environment, ...members])
    await engine.save('Environment', name, {
      kind: 'PRODUCTION',
      description: WORDS,
    });
  await engine.save('EnvironmentGroup', group, {
    description: WORDS,
    environments: { names: members },
    gate: { policy: 'ALL' },
    maxFailures: 0,
  });
  const parameters = { question: WORDS, forbidInitiator: false };
  await engine.save('PromotionWorkflow', workflow, {
    description: WORDS,
    actions: [{ name: longest('action'), type: 'approval', parameters }],
  });
  await engine.save('PromotionFlow', flow, {
    description: WORDS,
    triggerEnvironment: 'dev',
    onFailure: 'FINISH_RUNNING',
    steps: [
      { environment, dependsOn: ['dev'], policy: { preAction: workflow } },
      { group, dependsOn: ['dev'], approval: approvalOf('1') },
    ],
  });
  await engine.save('Product', product, {
    description: WORDS,
    promotionFlows: [{ name: flow }],
    concurrency: 'QUEUE',
    queueLimit: 5,
  });
  for (const [index, name] of ['dev', environment, ...members].entries())
    await engine.save('Application', longest(`application-${index}`), {
      product,
      environment: name,
      driver: { type: 'simulate' },
      health: { type: 'none' },
    });
  const order = async (field: string, type: string, input: object): Promise<void> => {
    const { body } = await guarded.ask(
      ADMIN,
      `mutation ($input: ${type}!) { made: ${field}(input: $input) { userErrors { message } } }`,
      { input },
    );
    const { userErrors } = (body.data?.['made'] ?? { userErrors: body.errors }) as {
      userErrors: { message: string }[];
    };
    if (userErrors.length > 0) throw new Error(`${field}: ${JSON.stringify(userErrors)}`);
  };
  const version = `1.0.0-<b>${'v'.repeat(60)}</b>`;
  await order('environmentHold', 'EnvironmentHoldInput', { environment: members[0], product, reason: WORDS });
  await order('triggerPause', 'TriggerPauseInput', { product, reason: WORDS });
  const id = await engine.trigger({ product, version });
  await engine.reached(id, ({ promotions }) => promotions.some(({ status }) => status === 'SUSPENDED'));
  // Once its action asks people: no environment begins with a version that was marked as bad before.
  await order('versionMarkBad', 'VersionMarkBadInput', { product, version, reason: WORDS });
  return [
    `/releases/${id}?environment=${environment}`,
    ...['list', 'timeline', 'gantt', 'notes'].map((view) => `/releases/${id}?view=${view}`),
    `/environments/${members[0]}?product=${product}`,
    `/flows/${flow}`,
    `/workflows/${workflow}`,
  ];
}
