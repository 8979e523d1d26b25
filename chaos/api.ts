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
};

/** Relay's global id ↔ the uuid that the judge finds in the database. */
export const toGlobalId = (releaseId: string): string => Buffer.from(`Release:${releaseId}`).toString('base64url');
export const fromGlobalId = (id: string): string =>
  Buffer.from(id, 'base64url')
    .toString()
    .replace(/^Release:/, '');

/** One request, one answer; throws when the server is not there, breaks off, or answers with a fault of its own. */
export async function mutate(url: string, operation: keyof typeof DOCUMENTS, input: object): Promise<ReleaseAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json, application/json' },
    body: JSON.stringify({ query: DOCUMENTS[operation], variables: { input } }),
    signal: AbortSignal.timeout(15_000),
  });
  const { data, errors } = (await response.json()) as {
    data?: { answer: { release: { id: string } | null; userErrors: UserError[] } | null };
    errors?: { message: string; extensions?: { code?: string } }[];
  };
  const code = errors?.[0]?.extensions?.code ?? '';
  // A request that the schema does not know is this program's mistake; trying again would hide it.
  if (code === 'GRAPHQL_VALIDATION_FAILED' || code === 'BAD_USER_INPUT') throw new WrongRequest(JSON.stringify(errors));
  if (!data?.answer) throw new Error(errors?.[0]?.message ?? `status ${response.status}`);
  const { release, userErrors } = data.answer;
  return { releaseId: release && fromGlobalId(release.id), userErrors };
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
