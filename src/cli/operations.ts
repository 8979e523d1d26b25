import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery, printSchema } from 'graphql';
import type { Client, UserError } from './client.ts';
import { CliError, EXIT } from './exit.ts';
import type { PromotionShown, ReleaseShown } from './release-shown.ts';

/** Every query and mutation of the CLI besides `get`'s lists; a test holds each against schema.graphql. */

const RELEASE = `
  fragment ReleaseFields on Release {
    id uuid kind productName flowName version { label commit } status createdAt startedAt endedAt
    problem { first { message environment } }
    waitingFor { message promotion { name } }
    promotions {
      name group { name } status phase attempt startedAt endedAt problem { message } applications { commit }
    }
  }`;

const ERRORS = 'userErrors { code message path }';

export const DOCUMENTS = {
  release: `query CliRelease($id: ID!) { release(id: $id) { ...ReleaseFields } } ${RELEASE}`,
  releases: `query CliReleases($first: Int!, $filter: ReleaseFilterInput) {
    releases(first: $first, filter: $filter) { nodes { ...ReleaseFields } }
  } ${RELEASE}`,
  rollbacksOf: `query CliRollbacksOf($id: ID!) { release(id: $id) { rollbacks { uuid } } }`,
  trigger: `mutation CliTrigger($input: ReleaseTriggerInput!) {
    payload: releaseTrigger(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  terminate: `mutation CliTerminate($input: ReleaseTerminateInput!) {
    payload: releaseTerminate(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  retry: `mutation CliRetry($input: ReleaseRetryInput!) {
    payload: releaseRetry(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  apply: `mutation CliApply($input: ManifestsApplyInput!) {
    payload: manifestsApply(input: $input) {
      changes { kind name change revision diff }
      userErrors { code message path ... on ManifestError { line column } }
    }
  }`,
};

interface ReleaseAnswer {
  id: string;
  uuid: string;
  kind: string;
  productName: string;
  flowName: string;
  version: { label: string; commit: string | null };
  status: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  problem: { first: { message: string; environment: string | null } } | null;
  waitingFor: { message: string; promotion: { name: string } | null }[];
  promotions: (Omit<PromotionShown, 'group' | 'problem' | 'waitingFor' | 'commit'> & {
    group: { name: string } | null;
    problem: { message: string } | null;
    applications: { commit: string | null }[];
  })[];
}

function toShown(release: ReleaseAnswer): ReleaseShown {
  const { id, uuid, productName, flowName, version, problem, waitingFor, promotions, ...same } = release;
  const first = problem?.first;
  const reasons = (name: string | null): string[] =>
    waitingFor
      .filter(({ promotion }) => (promotion?.name ?? null) === name)
      // Its row says already which environment it is.
      .map(({ message }) =>
        name !== null && message.startsWith(`${name}: `) ? message.slice(name.length + 2) : message,
      );
  return {
    id,
    uuid,
    product: productName,
    version: version.label,
    commit: version.commit,
    flow: flowName,
    ...same,
    waitingFor: reasons(null),
    problem: first ? [first.environment, first.message].filter(Boolean).join(': ') : null,
    promotions: promotions.map(({ applications, ...promotion }) => ({
      ...promotion,
      group: promotion.group?.name ?? null,
      problem: promotion.problem?.message ?? null,
      waitingFor: reasons(promotion.name),
      commit: applications.find(({ commit }) => commit !== null)?.commit ?? null,
    })),
  };
}

/** @param id as the API gave it, or the bare one that logs and commit messages carry */
/** The bare id of the rollback that takes it back, the newest; null when there is none. */
export async function newestRollback(client: Client, id: string): Promise<string | null> {
  const { release } = await client.ask<{ release: { rollbacks: { uuid: string }[] } | null }>(DOCUMENTS.rollbacksOf, {
    id,
  });
  return release?.rollbacks[0]?.uuid ?? null;
}

export async function readRelease(client: Client, id: string, signal?: AbortSignal): Promise<ReleaseShown> {
  const { release } = await client.ask<{ release: ReleaseAnswer | null }>(DOCUMENTS.release, { id }, signal);
  if (!release) throw noRelease(id);
  return toShown(release);
}

/** @param name an id, `latest`, a product for its newest release, or `release/ID` as `-o name` prints it */
export async function findRelease(client: Client, name: string): Promise<ReleaseShown> {
  const id = name.replace(/^release\//, '');
  if (id === 'latest') {
    const [newest] = await listReleases(client, { first: 1 });
    if (newest) return newest;
    throw new CliError(EXIT.REFUSED, 'There are no releases yet. Start one with: sluice release PRODUCT');
  }
  // A product is named as Kubernetes names things; ids are longer than that, or hold capitals.
  const [newest] = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(id)
    ? await listReleases(client, { product: id, first: 1 })
    : [];
  if (newest) return newest;
  const { release } = await client.ask<{ release: ReleaseAnswer | null }>(DOCUMENTS.release, { id });
  if (release) return toShown(release);
  throw noRelease(id);
}

const noRelease = (name: string): CliError =>
  new CliError(
    EXIT.REFUSED,
    `There is no release '${name}', and no product of that name has one. See: sluice get releases`,
  );

/** Newest first. */
export async function listReleases(
  client: Client,
  { product, first }: { product?: string; first: number },
): Promise<ReleaseShown[]> {
  const variables = { first, filter: product === undefined ? null : { product } };
  const { releases } = await client.ask<{ releases: { nodes: ReleaseAnswer[] } }>(DOCUMENTS.releases, variables);
  return releases.nodes.map(toShown);
}

interface ReleasePayload {
  payload: { release: ReleaseAnswer | null; userErrors: UserError[] };
}

async function change(client: Client, document: string, input: object): Promise<ReleaseShown> {
  const { payload } = await client.ask<ReleasePayload>(document, { input });
  if (payload.release && payload.userErrors.length === 0) return toShown(payload.release);
  throw new CliError(EXIT.REFUSED, payload.userErrors.map(({ message }) => message).join('\n'));
}

export interface TriggerInput {
  product: string;
  commit?: string;
  version?: string;
  flow?: string;
  idempotencyKey?: string;
  acknowledgeBadVersion?: boolean;
  rollbackFloor?: string;
}

export function triggerRelease(client: Client, input: TriggerInput): Promise<ReleaseShown> {
  return change(client, DOCUMENTS.trigger, input);
}

export function terminateRelease(
  client: Client,
  { id, reason }: { id: string; reason?: string },
): Promise<ReleaseShown> {
  return change(client, DOCUMENTS.terminate, { releaseId: id, reason });
}

export function retryRelease(client: Client, { id }: { id: string }): Promise<ReleaseShown> {
  return change(client, DOCUMENTS.retry, { releaseId: id });
}

export interface Change {
  kind: string;
  name: string;
  revision: number;
  change: string;
  diff: string | null;
}

export interface ManifestRefusal extends UserError {
  line?: number;
  column?: number;
}

interface ApplyPayload {
  payload: { changes: Change[]; userErrors: ManifestRefusal[] };
}

export async function applyManifests(
  client: Client,
  input: { text: string; dryRun: boolean },
): Promise<{ changes: Change[]; errors: ManifestRefusal[] }> {
  const { payload } = await client.ask<ApplyPayload>(DOCUMENTS.apply, { input });
  return { changes: payload.changes, errors: payload.userErrors };
}

export async function readSchema(client: Client): Promise<string> {
  return printSchema(
    buildClientSchema(await client.ask<IntrospectionQuery>(getIntrospectionQuery({ inputValueDeprecation: true }))),
  );
}
