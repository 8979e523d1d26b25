import { setTimeout as sleep } from 'node:timers/promises';

export interface UserError {
  code: string;
  message: string;
}

export interface ReleaseAnswer {
  /** The release's uuid; null when it was refused. */
  releaseId: string | null;
  userErrors: UserError[];
}

const PAYLOAD = '{ release { id } userErrors { code message } }';
const DOCUMENTS = {
  trigger: `mutation Trigger($input: ReleaseTriggerInput!) { answer: releaseTrigger(input: $input) ${PAYLOAD} }`,
  terminate: `mutation Terminate($input: ReleaseTerminateInput!) { answer: releaseTerminate(input: $input) ${PAYLOAD} }`,
  retry: `mutation Retry($input: ReleaseRetryInput!) { answer: releaseRetry(input: $input) ${PAYLOAD} }`,
  skip: `mutation Skip($input: PromotionSkipInput!) { answer: promotionSkip(input: $input) ${PAYLOAD} }`,
  report: `mutation Report($input: RolloutReportInput!) { answer: rolloutReport(input: $input) ${PAYLOAD} }`,
};

/** What an operator does who looks at what has to be approved. */
const PROPOSALS = '{ approvals(first: 50) { nodes { name release { id kind } } } }';
const DECIDE = {
  FORWARD: { approve: decision('promotionApprove', 'Promotion'), reject: decision('promotionReject', 'Promotion') },
  ROLLBACK: {
    approve: decision('rollbackTargetApprove', 'RollbackTarget'),
    reject: decision('rollbackTargetReject', 'RollbackTarget'),
  },
};

function decision(name: string, input: string): string {
  return `mutation Decide($input: ${input}DecisionInput!) { ${name}(input: $input) { userErrors { code } } }`;
}

/** A promotion that waits for somebody to agree. */
export interface Proposal {
  kind: keyof typeof DECIDE;
  /** Its release, global. */
  releaseId: string;
  environment: string;
}

export async function readProposals(url: string): Promise<Proposal[]> {
  const { approvals } = await ask<{
    approvals: { nodes: { name: string; release: { id: string; kind: Proposal['kind'] } }[] };
  }>(url, PROPOSALS, {});
  return approvals.nodes.map(({ name, release }) => ({ kind: release.kind, releaseId: release.id, environment: name }));
}

/** Somebody else, or the time, may have been first: then it is refused, and that is an answer. */
export async function decide(url: string, how: 'approve' | 'reject', proposal: Proposal): Promise<void> {
  const { kind, releaseId, environment } = proposal;
  const rollbackId = toGlobalId(fromGlobalId(releaseId), 'Rollback');
  const input = kind === 'FORWARD' ? { releaseId, environment } : { rollbackId, environment };
  await ask(url, DECIDE[kind][how], { input });
}

/** Applies manifests. @throws Refused */
export async function apply(url: string, text: string): Promise<void> {
  await granted(
    url,
    'mutation($input: ManifestsApplyInput!) { answer: manifestsApply(input: $input) { userErrors { code message } } }',
    {
      text,
    },
  );
}

/** Keeps a secret. @throws Refused */
export async function setSecret(url: string, input: object): Promise<void> {
  await granted(
    url,
    'mutation($input: SecretSetInput!) { answer: secretSet(input: $input) { userErrors { code message } } }',
    input,
  );
}

/** @returns the hold's uuid. @throws Refused */
export async function hold(url: string, input: object): Promise<string> {
  const { holds } = await granted<{ holds: { id: string }[] }>(
    url,
    'mutation($input: EnvironmentHoldInput!) { answer: environmentHold(input: $input) { holds { id } userErrors { code message } } }',
    input,
  );
  return fromGlobalId(holds[0]?.id ?? '');
}

/** Lifts a product's holds on an environment. @throws Refused */
export async function releaseHold(url: string, input: object): Promise<void> {
  await granted(
    url,
    'mutation($input: EnvironmentReleaseInput!) { answer: environmentRelease(input: $input) { userErrors { code message } } }',
    input,
  );
}

/** What the newest release of a product is called; null while there is none. */
export async function newestVersion(url: string, product: string): Promise<string | null> {
  const { releases } = await ask<{ releases: { nodes: { version: { label: string } }[] } }>(
    url,
    'query($product: String!) { releases(first: 1, filter: { product: $product }) { nodes { version { label } } } }',
    { product },
  );
  return releases.nodes[0]?.version.label ?? null;
}

/** @returns the mark's uuid. @throws Refused */
export async function markBad(url: string, input: object): Promise<string> {
  const { badVersions } = await granted<{ badVersions: { id: string }[] }>(
    url,
    'mutation($input: VersionMarkBadInput!) { answer: versionMarkBad(input: $input) { badVersions { id } userErrors { code message } } }',
    input,
  );
  return fromGlobalId(badVersions[0]?.id ?? '');
}

/** @throws Refused */
export async function unmarkBad(url: string, input: object): Promise<void> {
  await granted(
    url,
    'mutation($input: VersionUnmarkBadInput!) { answer: versionUnmarkBad(input: $input) { userErrors { code message } } }',
    input,
  );
}

/** A promotion of an open release, and what the API says that it waits for. */
export interface Waiting {
  releaseId: string;
  environment: string;
  status: string;
  reasons: string[];
}

export async function readWaiting(url: string): Promise<Waiting[]> {
  const { releases } = await ask<{
    releases: {
      nodes: {
        id: string;
        waitingFor: { message: string }[];
        promotions: { name: string; status: string; waitingFor: { message: string }[] }[];
      }[];
    };
  }>(
    url,
    '{ releases(first: 40, filter: { status: [QUEUED, RUNNING, SUSPENDED] }) { nodes { id waitingFor { message } promotions { name status waitingFor { message } } } } }',
    {},
  );
  return releases.nodes.flatMap(({ id, waitingFor: release, promotions }) =>
    promotions.map(({ name, status, waitingFor }) => ({
      releaseId: fromGlobalId(id),
      environment: name,
      status,
      // What only waits for its release's turn says so at the release.
      reasons: (waitingFor.length > 0 ? waitingFor : release).map((each) => each.message),
    })),
  );
}

/** Where the promotions of a release stand, its steps without an environment among them. @param release its uuid */
export async function readPromotions(url: string, release: string): Promise<{ name: string; status: string }[]> {
  const query = 'query($id: ID!) { release(id: $id) { promotions { name status } } }';
  const { release: found } = await ask<{ release: { promotions: { name: string; status: string }[] } | null }>(
    url,
    query,
    { id: toGlobalId(release) },
  );
  return found?.promotions ?? [];
}

/** The server said no: it answered, and nothing was done. */
export class Refused extends Error {}

async function granted<T extends object>(url: string, mutation: string, input: object): Promise<T> {
  const { answer } = await ask<{ answer: T & { userErrors: UserError[] } }>(url, mutation, { input });
  const [first] = answer.userErrors;
  if (first) throw new Refused(`${first.code}: ${first.message}`);
  return answer;
}

/** Relay's global id ↔ the uuid that the judge finds in the database. */
export const toGlobalId = (uuid: string, type = 'Release'): string =>
  Buffer.from(`${type}:${uuid}`).toString('base64url');
export const fromGlobalId = (id: string): string => Buffer.from(id, 'base64url').toString().replace(/^\w+:/, '');

/** One request, one answer; throws when the server is not there, breaks off, or answers with a fault of its own. */
export async function mutate(url: string, operation: keyof typeof DOCUMENTS, input: object): Promise<ReleaseAnswer> {
  const { answer } = await ask<{ answer: { release: { id: string } | null; userErrors: UserError[] } }>(
    url,
    DOCUMENTS[operation],
    { input },
  );
  return { releaseId: answer.release && fromGlobalId(answer.release.id), userErrors: answer.userErrors };
}

async function ask<T extends object>(url: string, query: string, variables: object): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(15_000),
  });
  const { data, errors } = (await response.json()) as {
    data?: T | null;
    errors?: { message: string; extensions?: { code?: string } }[];
  };
  const code = errors?.[0]?.extensions?.code ?? '';
  // A request that the schema does not know is this program's mistake; trying again would hide it.
  if (code === 'GRAPHQL_VALIDATION_FAILED' || code === 'BAD_USER_INPUT') throw new WrongRequest(JSON.stringify(errors));
  if (errors || !data) throw new Error(errors?.[0]?.message ?? `status ${response.status}`);
  return data;
}

export class WrongRequest extends Error {}

/** As a careful client does: the same request until there is an answer, on whatever server answers. */
export async function mutateUntilAnswered(
  urls: () => string[],
  operation: keyof typeof DOCUMENTS,
  input: object,
  deadline: number,
): Promise<ReleaseAnswer | null> {
  for (let tries = 0; Date.now() < deadline; tries += 1) {
    const all = urls();
    try {
      return await mutate(all[tries % all.length] as string, operation, input);
    } catch (error) {
      if (error instanceof WrongRequest) throw error;
      await sleep(Math.min(100 * 2 ** tries, 1_000));
    }
  }
  return null;
}
