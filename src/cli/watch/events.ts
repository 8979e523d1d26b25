/** The events of a release as the API streams them, and as a person reads them. */

/** One field can be nullable in one type and not in another: GraphQL wants different names for the two. */
export const EVENT_FIELDS = `
  fragment EventFields on ReleaseEvent {
    __typename sequence at releaseId product releaseStatus actor
    ... on PromotionEvent { environment attempt before status }
    ... on StepEvent { environment attempt step phase application }
    ... on ReleaseQueued { kind flow version environments }
    ... on ReleaseTerminating { reason }
    ... on ReleaseRetried { environments }
    ... on ReleaseSucceeded { perhapsReason: reason }
    ... on ReleaseFailed { perhapsReason: reason }
    ... on ReleaseTerminated { perhapsReason: reason }
    ... on PromotionWaiting { reason earliest }
    ... on WindowOverridden { windows reason expiresAt }
    ... on HoldLifted { reason }
    ... on ApprovalRequested { asks: step needed expiresAt }
    ... on ApprovalGiven { asks: step by comment via broughtBy missing }
    ... on ApprovalGranted { asks: step approvedBy }
    ... on ApprovalRejected { asks: step by comment via broughtBy }
    ... on ApprovalExpired { asks: step reason }
    ... on PromotionStarted { afresh }
    ... on PromotionFailed { reason }
    ... on PromotionSkipped { reason byPerson perhapsBy: by }
    ... on StepWaiting { reason recheckAt }
    ... on StepRetrying { message tries retryAt }
    ... on StepSucceeded { outputs { name value } }
    ... on StepFailed { message applied }
    ... on ActionCommitted { commit changed }
    ... on PullRequestMergedOutsideGates { number perhapsBy: by unmet { reason } }
    ... on PullRequestOpened { number url remarks }
    ... on PullRequestMerged { number url perhapsBy: by perhapsCommit: commit late }
    ... on PullRequestClosed { number url perhapsBy: by late }
    ... on DriftOverwritten { files perhapsCommit: commit author }
    ... on DeploymentReported { runsIn: application perhapsCommit: commit perhapsVersion: version }
    ... on HealthChanged { healthOf: application health perhapsMessage: message }
    ... on PromotionTerminated { perhapsReason: reason }
    ... on RolloutReported { rollout message }
    ... on ReleaseTakenBack { rollback reason }
    ... on PromotionRollingBack { rollback }
    ... on PromotionRolledBack { rollback }
    ... on PromotionRollbackFailed { rollback reason }
    ... on RollbackStarted { cause causedIn reason version origin targets { environment decision reason from to } }
    ... on RollbackJoined { cause causedIn reason origin }
    ... on RollbackTargetProposed { target from to reason }
    ... on RollbackTargetImpossible { target from to reason }
    ... on RollbackTargetStarted { target from to }
    ... on RollbackTargetSucceeded { target from to }
    ... on RollbackTargetFailed { target from to reason }
    ... on RollbackTargetLeftAlone { target from to reason }
    ... on GroupGateAsked { group }
    ... on GroupGatePassed { group }
    ... on GroupGateWaiting { group reason }
    ... on GroupGateFailed { group reason }
  }`;

export interface StreamedEvent {
  cursor: string;
  node: { __typename: string; sequence: number; at: string; releaseStatus: string } & Record<string, unknown>;
}

const ENDS = ['ReleaseSucceeded', 'ReleaseFailed', 'ReleaseTerminated'];

/** Where callers need not say who they are. */
const NAMELESS = 'a person without a name';

/** The release may have ended with it; a retry can come after it. */
export const mayEnd = ({ node }: StreamedEvent): boolean => ENDS.includes(node.__typename);

/** For programs: `type` first, the names of the schema, nothing that is null. */
export function toJson({ cursor, node }: StreamedEvent): Record<string, unknown> {
  const { __typename: type, perhapsReason, perhapsMessage, perhapsCommit, healthOf, ...rest } = node;
  const all = {
    type,
    ...rest,
    reason: rest['reason'] ?? perhapsReason,
    message: rest['message'] ?? perhapsMessage,
    commit: rest['commit'] ?? perhapsCommit,
    application: rest['application'] ?? healthOf,
    cursor,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== null && value !== undefined));
}

/** `14:05:09  us-east  commit 1a2b3c4`; local time, as on the wall. */
export function toLine(event: StreamedEvent, noun = 'release'): string {
  return withTime(event, toWords(event, noun));
}

const withTime = ({ node }: StreamedEvent, words: string): string =>
  `${new Date(node.at).toTimeString().slice(0, 8)}  ${words}`;

/** What fails is told by the step, its promotion and the release: a reader of lines reads the reason once. */
const FAILURES = /^(Step|Promotion|Release|GroupGate|RollbackTarget|PromotionRollback)(Failed|Terminated)$/;

/** Lines for a reader of all of them, one after the other. @param noun release, or rollback */
export function lineTeller(noun: string): (event: StreamedEvent) => string {
  const reasons: string[] = [];
  return (event) => {
    const words = toWords(event, noun);
    if (!FAILURES.test(event.node.__typename)) return withTime(event, words);
    const [head = '', ...rest] = words.split(': ');
    const reason = rest.join(': ');
    const isKnown = reason !== '' && reasons.some((each) => each.endsWith(reason) || reason.endsWith(each));
    if (reason !== '') reasons.push(reason);
    return withTime(event, isKnown ? head : words);
  };
}

/**
 * @returns one line without the time. A type that this version does not know is shown by its name.
 * @param word how a status is written; as the API writes it when left out
 */
export function toWords(
  { node }: StreamedEvent,
  noun = 'release',
  word: (status: string) => string = (status) => status,
): string {
  const text = (name: string): string => (typeof node[name] === 'string' ? node[name] : '');
  const because = text('reason') || text('perhapsReason');
  const colon = because && `: ${because}`;
  const where = [text('environment'), text('asks')].filter((each) => each !== '').join('  ');
  const bringers = (node['broughtBy'] as string[] | undefined) ?? [];
  const brought = bringers.length > 0 ? ` (brought by ${bringers.join(', ')})` : '';
  const step = text('step');
  switch (node.__typename) {
    case 'ReleaseQueued':
      if (text('kind') === 'ROLLBACK') return `rollback of ${text('product')} ${text('version')}`;
      return `${text('product')} ${text('version')} is released through ${text('flow')}`;
    case 'ReleaseStarted':
      return `the ${noun} started`;
    case 'ReleaseTerminating':
      return `the ${noun} is being stopped${colon}`;
    case 'ReleaseRetried':
      return `the ${noun} goes on${(node['environments'] as string[]).map((each, index) => `${index === 0 ? ' with ' : ', '}${each}`).join('')}`;
    case 'ReleaseSucceeded':
    case 'ReleaseFailed':
    case 'ReleaseTerminated':
      return `the ${noun} ${word(node.releaseStatus)}${colon}`;
    case 'PromotionWaiting':
      return `${where}  waits${colon}`;
    case 'WindowOverridden':
      return `${where}  ${(node['windows'] as string[] | undefined)?.join(', ') ?? ''} overridden until ${text('expiresAt')}${colon}`;
    case 'HoldLifted':
      return `${where}  is no longer on hold${colon}`;
    case 'ApprovalRequested':
      return `${where}  needs the approval of ${text('needed')}`;
    case 'ApprovalGiven':
      return `${where}  approved by ${text('by') || NAMELESS}${brought}${text('comment') && `: ${text('comment')}`}`;
    case 'ApprovalGranted':
      return `${where}  has all its approvals`;
    case 'ApprovalRejected':
      return `${where}  rejected by ${text('by') || NAMELESS}${brought}${text('comment') && `: ${text('comment')}`}`;
    case 'ApprovalExpired':
      return `${where}  ${because}`;
    case 'PromotionStarted':
      return node['afresh'] ? `${where}  started afresh: another version was there since` : `${where}  started`;
    case 'PromotionResumed':
      return `${where}  goes on`;
    case 'PromotionSucceeded':
    case 'PromotionFailed':
    case 'PromotionTerminated':
      return `${where}  ${word(text('status'))}${colon}`;
    case 'PromotionSkipped':
      return `${where}  ${word('SKIPPED')}${node['byPerson'] ? ` by ${text('perhapsBy') || NAMELESS}` : ''}${colon}`;
    case 'StepStarted':
      return `${where}  ${step} started`;
    case 'StepWaiting':
      return `${where}  ${step} waits${colon}`;
    case 'StepRetrying':
      return `${where}  ${step} is tried again: ${text('message')}`;
    case 'StepSucceeded':
      return `${where}  ${step} done`;
    case 'StepFailed':
      return `${where}  ${step} failed${node['applied'] ? ', its change is live' : ''}: ${text('message')}`;
    case 'StepTerminated':
      return `${where}  ${step} stopped`;
    case 'ActionCommitted':
      return `${where}  commit ${text('commit').slice(0, 7)}${node['changed'] ? '' : ' (held this version already)'}`;
    case 'PullRequestOpened': {
      const remarks = (node['remarks'] as string[] | undefined)?.map((each) => `; ${each}`).join('') ?? '';
      return `${where}  pull request ${String(node['number'])} opened: ${text('url')}${remarks}`;
    }
    case 'PullRequestMerged':
    case 'PullRequestClosed': {
      const end = node.__typename === 'PullRequestMerged' ? 'merged' : 'closed';
      const by = text('perhapsBy') && ` by ${text('perhapsBy')}`;
      const at = text('perhapsCommit') && `, commit ${text('perhapsCommit').slice(0, 7)}`;
      return `${where}  pull request ${String(node['number'])} ${end}${by}${at}${node['late'] ? ', after the promotion had ended' : ''}`;
    }
    case 'DriftOverwritten': {
      const by = text('author') && ` by ${text('author')} in ${text('perhapsCommit').slice(0, 7)}`;
      return `${where}  went over a change by hand${by}: ${(node['files'] as string[] | undefined)?.join(', ') ?? ''}`;
    }
    case 'PullRequestMergedOutsideGates': {
      const by = text('perhapsBy') && ` by ${text('perhapsBy')}`;
      const unmet = (node['unmet'] as { reason: string }[] | undefined)?.map(({ reason }) => reason).join('; ') ?? '';
      return `${where}  pull request ${String(node['number'])} was merged${by} outside the gates: ${unmet}`;
    }
    case 'HealthChanged':
      return `${where}  ${text('healthOf')} is ${word(text('health'))}${text('perhapsMessage') && `: ${text('perhapsMessage')}`}`;
    case 'DeploymentReported': {
      const commit = text('perhapsCommit').slice(0, 9);
      const runs = [text('perhapsVersion'), commit && `commit ${commit}`].filter(Boolean).join(', ');
      return `${where}  ${text('runsIn')} is reported to run ${runs}`;
    }
    case 'RolloutReported':
      return `${where}  reported from outside as ${word(text('rollout'))}: ${text('message')}`;
    case 'ReleaseTakenBack':
      return `the release is taken back by a rollback${colon}`;
    case 'PromotionRollingBack':
    case 'PromotionRolledBack':
    case 'PromotionRollbackFailed':
      return `${where}  ${word(text('status'))}${colon}`;
    case 'RollbackStarted':
      return `${text('version')} is taken back: ${text('causedIn') || 'elsewhere'} ${word(text('cause'))}${colon}`;
    case 'RollbackJoined':
      return `${text('causedIn') || 'elsewhere'}  ${word(text('cause'))} as well, and goes back already${colon}`;
    case 'RollbackTargetProposed':
      return `${text('target')}  goes back once it is approved: ${because}`;
    case 'RollbackTargetImpossible':
      return `${text('target')}  cannot go back: ${because}`;
    case 'RollbackTargetStarted':
      return `${text('target')}  goes back from ${text('from')} to ${text('to')}`;
    case 'RollbackTargetSucceeded':
      return `${text('target')}  is back at ${text('to')}`;
    case 'RollbackTargetFailed':
      return `${text('target')}  could not be brought back${colon}`;
    case 'RollbackTargetLeftAlone':
      return `${text('target')}  is left alone${colon}`;
    case 'GroupGateAsked':
      return `${text('group')}  all healthy together?`;
    case 'GroupGatePassed':
      return `${text('group')}  healthy: what depends on it may start`;
    case 'GroupGateWaiting':
      return `${text('group')}  waits${colon}`;
    case 'GroupGateFailed':
      return `${text('group')}  failed${colon}`;
    default:
      return [where, node.__typename].filter(Boolean).join('  ');
  }
}
