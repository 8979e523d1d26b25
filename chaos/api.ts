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
  report: `mutation Report($input: RolloutReportInput!) { answer: rolloutReport(input: $input) ${PAYLOAD} }`,
};

/** What an operator does who looks at the proposals of rollbacks. */
const PROPOSALS = '{ approvals(first: 50) { nodes { name release { id kind } } } }';
const DECIDE = {
  approve: decision('rollbackTargetApprove'),
  reject: decision('rollbackTargetReject'),
};

function decision(name: string): string {
  return `mutation Decide($input: RollbackTargetDecisionInput!) { ${name}(input: $input) { userErrors { code } } }`;
}

export interface Proposal {
  /** Global. */
  rollbackId: string;
  environment: string;
}

export async function readProposals(url: string): Promise<Proposal[]> {
  const { approvals } = await ask<{
    approvals: { nodes: { name: string; release: { id: string; kind: string } }[] };
  }>(url, PROPOSALS, {});
  return approvals.nodes.flatMap(({ name, release }) =>
    release.kind === 'ROLLBACK'
      ? [{ rollbackId: toGlobalId(fromGlobalId(release.id), 'Rollback'), environment: name }]
      : [],
  );
}

/** Somebody else, or the time, may have been first: then it is refused, and that is an answer. */
export async function decide(url: string, how: keyof typeof DECIDE, input: Proposal): Promise<void> {
  await ask(url, DECIDE[how], { input });
}

/** Relay's global id ↔ the uuid that the judge finds in the database. */
export const toGlobalId = (uuid: string, type = 'Release'): string =>
  Buffer.from(`${type}:${uuid}`).toString('base64url');
export const fromGlobalId = (id: string): string =>
  Buffer.from(id, 'base64url')
    .toString()
    .replace(/^Release:/, '');

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
