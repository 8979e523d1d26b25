import type { IntrospectionQuery } from 'graphql';
import { inOrder } from '../core/in-order.ts';
import { all, ask, ERRORS, Most, PAGE } from './asking.ts';
import type { Client, UserError } from './client.ts';
import { CliError, EXIT } from './exit.ts';
import type {
  CommitStatusShown,
  ErrandShown,
  HookShown,
  PromotionShown,
  ReleaseShown,
  RollbackPart,
} from './release-shown.ts';

/** Every query and mutation of the CLI besides `get`'s lists; a test holds each against schema.graphql. */

export const ROLLBACK_PART = `cause { kind environment reason by }
  targets { environment decision status reason from { label } to { label } }`;

const RELEASE = `
  fragment ReleaseFields on Release {
    id uuid shortId kind productName flowName version { label commit } status createdAt startedAt endedAt
    problem { first { message environment attempt } last { message environment attempt } }
    waitingFor { message promotion { name } }
    promotions {
      name group { name } status phase attempt startedAt endedAt problem { message } skip { by reason } applications { commit }
      pullRequests { number url state }
    }
    rollback { ${ROLLBACK_PART} }
  }`;

/** What a person can do about what one release waits for. */
const CURES = `
  fragment Cures on Release {
    cures: waitingFor {
      __typename message promotion { name }
      ... on WaitingForHold { holds { productName environmentName } }
      ... on WaitingForVersion { badVersions { label } }
      ... on WaitingForWindow { windowNames windows { description } }
      ... on WaitingForApproval { approval { step status } }
    }
  }`;

/** Its hooks, what hosts are told of one release's commits and pull requests, and what is still to be done there. */
const STATUSES = `
  fragment Statuses on Release {
    steps { name status startedAt endedAt lastError }
    commitStatuses { context repository sha state description url appliedState attempts lastError nextAttemptAt givenUp }
    errands { about attempts lastError nextAttemptAt }
  }`;

export const DOCUMENTS = {
  release: `query CliRelease($id: ID!) {
    release(id: $id) { ...ReleaseFields ...Cures ...Statuses }
  } ${RELEASE} ${CURES} ${STATUSES}`,
  releases: `query CliReleases($first: Int!, $after: String, $filter: ReleaseFilterInput) {
    list: releases(first: $first, after: $after, filter: $filter) { nodes { ...ReleaseFields } ${PAGE} }
  } ${RELEASE}`,
  rollbacksOf: `query CliRollbacksOf($id: ID!) { release(id: $id) { rollbacks { release { shortId } } } }`,
  trigger: `mutation CliTrigger($input: ReleaseTriggerInput!) {
    payload: releaseTrigger(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  terminate: `mutation CliTerminate($input: ReleaseTerminateInput!) {
    payload: releaseTerminate(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  retry: `mutation CliRetry($input: ReleaseRetryInput!) {
    payload: releaseRetry(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  skip: `mutation CliSkip($input: PromotionSkipInput!) {
    payload: promotionSkip(input: $input) { release { ...ReleaseFields } ${ERRORS} }
  } ${RELEASE}`,
  apply: `mutation CliApply($input: ManifestsApplyInput!) {
    payload: manifestsApply(input: $input) {
      changes { kind name change revision diff warnings }
      userErrors { code message path ... on ManifestError { line column } }
    }
  }`,
};

interface Waiting {
  message: string;
  promotion: { name: string } | null;
}

interface Cure extends Waiting {
  __typename: string;
  holds?: { productName: string | null; environmentName: string }[];
  badVersions?: { label: string }[];
  windowNames?: string[];
  windows?: { description: string | null }[];
  approval?: { step: string | null; status?: string };
}

interface ReleaseAnswer {
  id: string;
  uuid: string;
  shortId: string;
  kind: string;
  productName: string;
  flowName: string;
  version: { label: string; commit: string | null };
  status: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  problem: { first: ProblemTold; last: ProblemTold } | null;
  waitingFor: Waiting[];
  cures?: Cure[];
  rollback: RollbackPart | null;
  steps?: HookShown[];
  commitStatuses?: CommitStatusShown[];
  errands?: ErrandShown[];
  promotions: (Omit<PromotionShown, 'group' | 'problem' | 'waitingFor' | 'commit'> & {
    group: { name: string } | null;
    problem: { message: string } | null;
    skip: { by: string | null; reason: string } | null;
    applications: { commit: string | null }[];
  })[];
}

function toShown(release: ReleaseAnswer): ReleaseShown {
  const {
    id,
    uuid,
    shortId,
    productName,
    flowName,
    version,
    problem,
    waitingFor,
    promotions,
    cures,
    rollback,
    steps: hooks,
    ...same
  } = release;
  const wrong = problem ? standing(release, [problem.first, problem.last]) : undefined;
  const rows = new Set(promotions.map((each) => each.name));
  // A hook has no row of its own: what it waits for is said of the release.
  const placeOf = (promotion: Waiting['promotion']): string | null =>
    promotion && rows.has(promotion.name) ? promotion.name : null;
  const reasons = (name: string | null): string[] =>
    (cures ?? waitingFor)
      .filter(({ promotion }) => placeOf(promotion) === name)
      .map((each) => {
        const cure = isCure(each) ? cureOf(release, each) : null;
        // Its row says already which environment it is.
        const from = name !== null && each.message.startsWith(`${name}: `) ? name.length + 2 : 0;
        const message = `${each.message.slice(from)}${isCure(each) ? whyClosed(each) : ''}`;
        return cure === null ? message : `${message} (${cure})`;
      });
  return {
    id,
    shortId,
    uuid,
    product: productName,
    version: version.label,
    commit: version.commit,
    flow: flowName,
    ...same,
    ...(hooks && { hooks }),
    waitingFor: reasons(null),
    problem: wrong ? [wrong.environment, wrong.message].filter(Boolean).join(': ') : null,
    promotions: inOrder(promotions.map((each) => ({ ...each, group: each.group?.name ?? null }))).map(
      ({ applications, skip, ...promotion }) => ({
        ...promotion,
        problem:
          skip && promotion.status !== 'SUCCEEDED'
            ? `skipped${skip.by === null ? '' : ` by ${skip.by}`}: ${skip.reason}`
            : (promotion.problem?.message ?? null),
        waitingFor: reasons(promotion.name),
        commit: applications.find(({ commit }) => commit !== null)?.commit ?? null,
      }),
    ),
    rollback: rollback ?? null,
  };
}

export interface ProblemTold {
  message: string;
  environment: string | null;
  /** Of the promotion there. */
  attempt: number | null;
}

interface Stands {
  status: string;
  promotions: readonly { name: string; status: string; attempt: number }[];
}

/** The first of these problems that still counts: the release did not get through, and its environment was neither skipped nor tried again since. */
export function standing({ status, promotions }: Stands, problems: readonly ProblemTold[]): ProblemTold | undefined {
  if (status === 'SUCCEEDED') return undefined;
  return problems.find(({ environment, attempt }) => {
    const own = promotions.find(({ name }) => name === environment);
    return !own || (!THROUGH.includes(own.status) && (attempt === null || attempt === own.attempt));
  });
}

const THROUGH = ['SUCCEEDED', 'SKIPPED'];

/** What the people who closed it have said, as of a freeze. */
function whyClosed({ windows = [] }: Cure): string {
  const said = windows.flatMap(({ description }) => description ?? []);
  return said.length > 0 ? `: ${said.join('; ')}` : '';
}

const isCure = (waiting: Waiting): waiting is Cure => '__typename' in waiting;

/** The command with which a person ends a wait; null where time or other releases do. */
function cureOf({ shortId, productName }: ReleaseAnswer, cure: Cure): string | null {
  const where = cure.promotion?.name;
  const reason = '--reason TEXT';
  switch (cure.__typename) {
    case 'WaitingForApproval':
      // Of what is not asked yet an approval is refused.
      if (cure.approval?.status === 'NOT_ASKED') return null;
      return `sluice approve ${shortId} ${where}${cure.approval?.step ? ` --step ${cure.approval.step}` : ''}`;
    case 'WaitingForHold': {
      const product = cure.holds?.some((each) => each.productName !== null) ? ` --product ${productName}` : '';
      return `sluice unhold ${where}${product}`;
    }
    case 'WaitingForVersion':
      return `sluice unmark-bad ${productName} ${cure.badVersions?.[0]?.label ?? 'VERSION'} ${reason}`;
    case 'WaitingForWindow':
      return `sluice windows override ${shortId} ${where} ${cure.windowNames?.join(' ')} ${reason} --until 1h`;
    default:
      return null;
  }
}

/** `billing#42` of the rollback that takes a release back, the newest; null when there is none. */
export async function newestRollback(client: Client, id: string): Promise<string | null> {
  const { release } = await client.ask<{ release: { rollbacks: { release: { shortId: string } | null }[] } | null }>(
    DOCUMENTS.rollbacksOf,
    { id },
  );
  return release?.rollbacks[0]?.release?.shortId ?? null;
}

/** @param name `billing#42`, an id, a product for its newest one, `latest`, or `release/ID` as `-o name` prints it */
export async function readRelease(client: Client, name: string, signal?: AbortSignal): Promise<ReleaseShown> {
  const id = idOf(name);
  const { release } = await client.ask<{ release: ReleaseAnswer | null }>(DOCUMENTS.release, { id }, signal);
  if (release) return toShown(release);
  if (id === 'latest')
    throw new CliError(EXIT.REFUSED, 'There are no releases yet. Start one with: sluice release PRODUCT');
  throw new CliError(
    EXIT.REFUSED,
    `There is no release '${id}', and no product of that name has one. See: sluice get releases`,
  );
}

/** As the API takes it. */
export const idOf = (name: string): string => name.replace(/^(release|rollback)\//, '');

/** Of a page: each has all of its promotions. */
const RELEASES = 10;

/** Newest first. */
export async function listReleases(
  client: Client,
  filter: { product?: string; status?: string[] },
  limit: Most,
): Promise<ReleaseShown[]> {
  return (await all<ReleaseAnswer>(client, DOCUMENTS.releases, { filter }, limit, RELEASES)).map(toShown);
}

async function change(client: Client, document: string, input: object): Promise<ReleaseShown> {
  return toShown((await ask<{ release: ReleaseAnswer }>(client, document, input)).release);
}

export interface TriggerInput {
  product: string;
  commit?: string;
  version?: string;
  flow?: string;
  from?: string;
  to?: string;
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
  return change(client, DOCUMENTS.terminate, { releaseId: idOf(id), reason });
}

export function retryRelease(
  client: Client,
  { id, environment }: { id: string; environment?: string },
): Promise<ReleaseShown> {
  return change(client, DOCUMENTS.retry, { releaseId: idOf(id), environment });
}

export function skipPromotion(
  client: Client,
  { id, ...input }: { id: string; environment: string; reason: string },
): Promise<ReleaseShown> {
  return change(client, DOCUMENTS.skip, { releaseId: idOf(id), ...input });
}

export interface Change {
  kind: string;
  name: string;
  revision: number;
  change: string;
  diff: string | null;
  warnings: string[];
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
  input: { text: string; dryRun: boolean; prune?: { key: string; value: string }[] },
): Promise<{ changes: Change[]; errors: ManifestRefusal[] }> {
  const { payload } = await client.ask<ApplyPayload>(DOCUMENTS.apply, { input });
  return { changes: payload.changes, errors: payload.userErrors };
}

export async function readSchema(client: Client): Promise<string> {
  const { buildClientSchema, getIntrospectionQuery, printSchema } = await import('graphql');
  return printSchema(
    buildClientSchema(await client.ask<IntrospectionQuery>(getIntrospectionQuery({ inputValueDeprecation: true }))),
  );
}
