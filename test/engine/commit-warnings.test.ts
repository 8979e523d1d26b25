import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyManifests } from '../../src/commands/apply-manifests.ts';
import { getDefinition } from '../../src/store/definitions.ts';
import { FAULTS } from '../peers/faults.ts';
import type { StandInKind } from '../peers/forges.ts';
import { ByPullRequest, HOSTS, REPOSITORY } from '../support/by-pull-request.ts';

/** What a branch asks of commits is told when an application is saved, and not by the first push that its host refuses. */

let at: ByPullRequest;
let tries = 0;
const open = (kind: StandInKind): void => {
  beforeEach(async () => {
    at = await ByPullRequest.open(kind);
    await at.billing();
  });
  afterEach(() => at.close());
};

/** What applying the application of eu says; `commits` are lines of its driver. */
async function saved(commits: string[] = [], dryRun = false): Promise<string[]> {
  tries += 1;
  const text = [
    'apiVersion: sluice.dev/v1',
    'kind: Application',
    `metadata: { name: billing-eu, annotations: { try: "${tries}" } }`,
    'spec:',
    '  product: billing',
    '  environment: eu',
    '  driver:',
    '    type: git',
    `    repoURL: ${at.config.url}`,
    '    branch: main',
    '    path: eu',
    ...(commits.length > 0 ? ['    commits:', ...commits.map((each) => `      ${each}`)] : []),
  ].join('\n');
  const { changes, errors } = await applyManifests(at.engine.app, { text, dryRun }, 'ada');
  expect(errors).toEqual([]);
  return changes.flatMap(({ warnings }) => warnings);
}

const branch = (): string => `branch "main" of ${at.config.url}`;

describe.each(HOSTS)('on %s', (kind) => {
  open(kind);

  test('a branch that takes only signed commits is told with the field, also by a dry run', async () => {
    expect(await saved()).toEqual([]);
    at.forge.protect(REPOSITORY, 'main', { commits: { signed: true } });
    const warning = `Application "billing-eu": ${branch()} takes only signed commits, and those of Sluice are not signed: set driver.git.commits.signingKey`;
    expect(await saved([], true)).toEqual([warning]);
    expect(await saved()).toEqual([warning]);
  });

  test('what the secret may not see is said, and is no reason to refuse', async () => {
    at.forge.protect(REPOSITORY, 'main', { commits: { signed: true }, hidden: true });
    expect(await saved()).toEqual([
      expect.stringContaining(`what ${branch()} asks of commits is not all known: its secret may not see `),
    ]);
  });

  test('a host that does not answer is said, and what is saved is saved', async () => {
    at.forge.faults.script(/./, FAULTS.badGateway);
    expect(await saved()).toEqual([
      expect.stringMatching(new RegExp(`what branch "main" of \\S+ asks of commits is not all known: .*502`)),
    ]);
    const { spec } = (await getDefinition(at.engine.app.dataSource, 'Application', 'billing-eu'))!;
    expect(spec.driver).toMatchObject({ path: 'eu' });
  });
});

describe.each(['github', 'gitlab'] as const)('on %s', (kind) => {
  open(kind);

  test('patterns are judged by the commits that Sluice would make, and met they are silent', async () => {
    at.forge.protect(REPOSITORY, 'main', { commits: { authorEmail: '@acme\\.example$', message: '^chore: ' } });
    expect(await saved()).toEqual([
      `Application "billing-eu": ${branch()} takes only commits of which the address of their author fits "@acme\\\\.example$", and that of Sluice is "sluice@example.com": set driver.git.commits.author, or SLUICE_GIT_AUTHOR_EMAIL`,
      expect.stringContaining('their message fits "^chore: ", and that of Sluice is "Promote billing 1.2.3 to eu'),
    ]);
    const author = 'author: { name: bot, email: bot@acme.example }';
    expect(await saved([author, 'message: "chore: ${SUBJECT}"'])).toEqual([]);
  });
});

describe('on one of them', () => {
  open('github');

  test('a branch without merge commits is told where pull requests would be merged by one', async () => {
    at.forge.protect(REPOSITORY, 'main', { commits: { linear: true } });
    expect(await saved()).toEqual([expect.stringContaining('set pullRequest.method to SQUASH or REBASE in the flow')]);
    await at.billing({ pullRequest: { method: 'SQUASH' } });
    expect(await saved()).toEqual([]);
  });

  test('it is told as well where a policy says that changes go in by pull request', async () => {
    at.forge.protect(REPOSITORY, 'main', { commits: { linear: true } });
    await at.engine.save('PromotionFlow', 'main', {
      triggerEnvironment: 'dev',
      productSelector: {},
      onFailure: 'FINISH_RUNNING',
      steps: [{ environment: 'eu', dependsOn: ['dev'] }],
    });
    expect(await saved()).toEqual([]);
    const policy = async (method: 'MERGE' | 'SQUASH'): Promise<void> => {
      const selector = { product: {}, targetEnvironment: { names: ['eu'] } };
      const settings = { action: 'pr', pullRequest: { method } };
      const spec = JSON.stringify({ priority: 1, selector, policy: settings });
      const text = `apiVersion: sluice.dev/v1\nkind: PromotionPolicy\nmetadata: { name: by-request }\nspec: ${spec}`;
      const { errors } = await applyManifests(at.engine.app, { text, dryRun: false }, 'ada');
      expect(errors).toEqual([]);
    };
    await policy('MERGE');
    expect(await saved()).toEqual([expect.stringContaining('or the policy that says pr')]);
    await policy('SQUASH');
    expect(await saved()).toEqual([]);
  });
});
