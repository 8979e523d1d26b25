import type { HostedRepository } from '../../test/peers/git-host.ts';
import { manifest } from '../guarded.ts';
import { valuesFile } from '../repositories.ts';
import type { Peers } from './peers.ts';

/** A product whose last environment takes its changes by pull request, in a repository of the git host. */
export interface ProposedProduct {
  name: string;
  repository: HostedRepository;
  /** Who merges: people, or Sluice when its gates hold. */
  merge: 'MANUAL' | 'AUTO';
}

/** dev starts a release by itself, staging takes a commit, and this one a pull request. */
export const PROPOSED_ENVIRONMENT = 'eu';
export const PROPOSED_WAY = ['dev', 'staging', PROPOSED_ENVIRONMENT];

/** Repositories with a folder for each environment, and what people would apply for them. */
export async function proposedWorld(
  { gitHost }: Peers,
  names: readonly { name: string; merge: ProposedProduct['merge'] }[],
): Promise<{ products: ProposedProduct[]; manifests: string }> {
  const products: ProposedProduct[] = [];
  for (const { name, merge } of names) {
    const repository = await gitHost.repository(name);
    const files = PROPOSED_WAY.map((each): [string, string] => [`${each}/values.yaml`, valuesFile(each, '0')]);
    await repository.commit(Object.fromEntries(files), 'by hand');
    products.push({ name, repository, merge });
  }
  const documents = (['MANUAL', 'AUTO'] as const).map((merge) => proposedFlow(merge));
  for (const { name, repository, merge } of products) {
    documents.push(
      manifest('Product', name, {
        promotionFlows: [{ name: flowOf(merge) }],
        concurrency: 'QUEUE',
        queueLimit: 50,
        promotionTemplate: {
          versionSource: { file: 'values.yaml', jsonPath: '$.image.tag' },
          promotion: { 'values.yaml': { jsonPaths: ['$.image.tag'] } },
        },
        trigger: { coalesce: '100ms', interval: '5s' },
      }),
      ...PROPOSED_WAY.map((environment) =>
        manifest('Application', `${name}-${environment}`, {
          product: name,
          environment,
          driver: { type: 'git', repoURL: repository.url, branch: 'main', path: environment },
          health: { type: 'simulate' },
        }),
      ),
    );
  }
  return { products, manifests: documents.join('\n---\n') };
}

const flowOf = (merge: ProposedProduct['merge']): string => `proposed-${merge.toLowerCase()}`;

function proposedFlow(merge: ProposedProduct['merge']): string {
  const pullRequest = { merge, labels: ['sluice'], reviewers: ['bo'] };
  return manifest('PromotionFlow', flowOf(merge), {
    triggerEnvironment: 'dev',
    steps: [
      { environment: 'staging', dependsOn: ['dev'], policy: { action: 'commit' } },
      {
        environment: PROPOSED_ENVIRONMENT,
        dependsOn: ['staging'],
        policy: { action: 'pr', pullRequest },
      },
    ],
  });
}

/** Somebody pushes a version into the trigger environment: the release is to start by itself. */
export function pushVersion({ repository }: ProposedProduct, version: number): Promise<string> {
  return repository.commit({ 'dev/values.yaml': valuesFile('dev', String(version)) }, `Version ${version}`);
}

/** The version that a branch holds in an environment. */
export async function versionIn({ repository }: ProposedProduct, environment: string): Promise<number> {
  const text = (await repository.read(`${environment}/values.yaml`)) ?? '';
  return Number(/tag: "(\d+)"/.exec(text)?.[1] ?? Number.NaN);
}
