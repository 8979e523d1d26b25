import type { Draft } from './draft.ts';
import { judgeGroup } from './group-gate.ts';
import type { PlannedGroup } from './plan.ts';
import type { GroupState, Stimulus } from './release.ts';
import { failGroup, isOpenQuestion } from './settle.ts';

/** What asking the gate of a group came to. */
export function applyGroupAnswer(draft: Draft, answer: Extract<Stimulus, { kind: 'group-answer' }>): void {
  const seen = draft.state.groups[answer.group];
  if (!seen || !isOpenQuestion(draft, seen, answer.generation)) return;
  draft.reportedFrom(answer.job, null);
  const group = draft.group(answer.group);
  const planned = draft.plan.groups[answer.group] as PlannedGroup;
  const { verdict, reason, ...rest } = judgeGroup(draft.plan, planned, draft.state, seen, answer.health, draft.now);
  Object.assign(group, rest);
  // Told while it was asked, and not in the answer: it is asked again at once, and nothing is told of that.
  const missed = seen.news.some(
    ({ member, status }) => !answer.health.some((each) => each.promotion === member && each.status === status),
  );
  group.news = [];
  if (missed && verdict !== 'wait') {
    Object.assign(group, { status: 'WAITING', recheckAt: draft.now } satisfies Partial<GroupState>);
    return;
  }
  if (verdict === 'pass') {
    draft.emit({ type: 'GroupGatePassed', group: planned.name });
    Object.assign(group, { status: 'PASSED', reason } satisfies Partial<GroupState>);
  } else if (verdict === 'fail') {
    failGroup(draft, answer.group, reason);
  } else {
    if (seen.reason !== reason) draft.emit({ type: 'GroupGateWaiting', group: planned.name, reason });
    Object.assign(group, { status: 'WAITING', reason } satisfies Partial<GroupState>);
  }
}

/** News of a member's health: a gate that waits looks at once, and what came and went before its next look is not overlooked. */
export function tellGroups(draft: Draft, report: Extract<Stimulus, { kind: 'health-reported' }>): void {
  draft.plan.groups.forEach(({ members }, position) => {
    const { status, clocks, news } = draft.state.groups[position] as GroupState;
    const concerned = members.filter((member) => {
      const { environment, applications } = draft.planned(member);
      return environment === report.environment && applications.some((each) => each.name === report.application);
    });
    const isNews = (member: number): boolean => {
      const clock = clocks[members.indexOf(member)];
      return clock ? clock.status !== report.status : false;
    };
    if (status === 'WAITING' && concerned.some(isNews)) draft.group(position).recheckAt = draft.now;
    if (status !== 'ASKING') return;
    const others = news.filter(({ member }) => !concerned.includes(member));
    if (concerned.length > 0)
      draft.group(position).news = [...others, ...concerned.map((member) => ({ member, status: report.status }))];
  });
}
