import { registerEnumType } from 'type-graphql';
import type { DecisionChannel } from '../core/approvals/approval.ts';
import type { BadVersionScope, Kind } from '../core/definitions.ts';
import { onExpiry } from '../core/kinds/approval.ts';
import { ABOUT } from '../core/kinds/index.ts';
import { onFailure } from '../core/kinds/promotion-flow.ts';
import { windowAction } from '../core/kinds/release-window.ts';
import type { Phase } from '../core/plan.ts';
import type { GateAnswer } from '../core/gates/answer.ts';
import type { GroupState, NoticedBy } from '../core/release.ts';
import type { PullRequestState } from '../core/pull-request.ts';
import { enumOf } from './enums.ts';
import { enumFor } from './shape-types.ts';

/** An enum whose words are written in another way inside: GraphQL has `NOT_IN`, Kubernetes has `NotIn`. */
export function wordsOf<T extends string>(
  name: string,
  description: string,
  words: Record<string, [T, string]>,
): Record<string, T> {
  const values = Object.fromEntries(Object.entries(words).map(([word, [value]]) => [word, value]));
  const valuesConfig = Object.fromEntries(
    Object.entries(words).map(([word, [, text]]) => [word, { description: text }]),
  );
  registerEnumType(values, { name, description, valuesConfig });
  return values;
}

export const DefinitionKindEnum = enumOf<Kind>('DefinitionKind', 'What can be defined.', ABOUT);
export const OnFailureEnum = enumFor(onFailure);
export const WindowActionEnum = enumFor(windowAction);
export const OnExpiryEnum = enumFor(onExpiry);

export const PhaseEnum = enumOf<Phase>('PromotionPhase', 'The parts of a promotion, in their order.', {
  ON_START: 'A hook: before everything else of the promotion, or of the release.',
  PRE_ACTION: 'A workflow before the change.',
  ACTION: 'The change itself.',
  SYNC: 'Until the target runs the change.',
  HEALTH: 'Until the application is healthy.',
  SOAK: 'Healthy for a while.',
  POST_ACTION: 'A workflow after the change.',
  WORKFLOW: 'The actions of a step without an environment.',
  ON_SUCCESS: 'A hook: after everything else of the promotion, or of the release, has ended well.',
  ON_FAIL: 'A hook: after everything else of the promotion, or of the release, has ended, and not well.',
});

export const PullRequestStateEnum = enumOf<PullRequestState>(
  'PullRequestState',
  'Where a pull request of a promotion is in its life.',
  {
    OPENING: 'It was asked for, and not seen yet.',
    OPEN: 'It waits for its merge.',
    MERGED: 'It was merged.',
    CLOSED: 'It was closed without being merged.',
    GONE: 'It never came to be, or nothing had to be changed.',
  },
);

export const NoticedByEnum = enumOf<NoticedBy>('NoticedBy', 'What led to a look at a pull request.', {
  WEBHOOK: 'A delivery of its host.',
  PUSH: 'A push to the branch that it is for.',
  POLL: 'A look at all pull requests of its repository.',
  LOOK: 'A look at it, as happens from time to time.',
  MERGE: 'Sluice merged it.',
});

export const GateEnum = enumOf<GateAnswer['gate']>('PromotionGate', 'What is asked before a promotion starts.', {
  DEPENDENCIES: 'Have the promotions and groups before it succeeded?',
  GROUP: 'Is there room in its group, and did not too many members fail?',
  ENVIRONMENT: 'Is no other release of the product at work there?',
  HOLD: 'Is the environment free of holds?',
  VERSION: 'Was the version not marked bad for the environment?',
  WINDOW: 'Do the release windows of the environment let a promotion (or a rollback) start now?',
  APPROVAL: 'Have enough of the right people agreed?',
  LIVE: 'Of a rollback: is what it takes back still live there?',
  LIMIT: 'Of a rollback: do fewer environments go back now than may at once?',
});

export const DecisionChannelEnum = enumOf<DecisionChannel>('DecisionChannel', 'How a decision of a person came.', {
  API: 'With an API call of the person: the web UI, the CLI, a program.',
  LINK: 'By a signed link that the person opened.',
  WEBHOOK: 'As a signed message of another system.',
});

export const BadVersionScopeEnum = enumOf<BadVersionScope>(
  'BadVersionScope',
  'Where a bad version is not promoted to.',
  {
    ENVIRONMENT: 'One environment.',
    GROUP: 'The environments of one group: its members when it was marked, and those that it has now.',
    PRODUCT: 'Anywhere.',
  },
);

export const GateVerdictEnum = wordsOf<GateAnswer['verdict']>('GateVerdict', 'The answer of a gate.', {
  PASS: ['pass', 'It may start.'],
  WAIT: ['wait', 'Not yet.'],
  FAIL: ['fail', 'Never in this release.'],
});

export const GroupStatusEnum = enumOf<GroupState['status']>('GroupGateStatus', "Where a group's gate stands.", {
  OPEN: 'Members are still on their way.',
  ASKING: 'Enough have succeeded; their health is being asked again.',
  WAITING: 'Not enough are healthy now; it is asked again.',
  PASSED: 'Enough are healthy: what depends on the group may start.',
  FAILED: 'Enough can no longer become healthy.',
});
