import type { PlannedGroup } from '../plan.ts';
import { isStandingFailure, occupiesEnvironment } from '../release.ts';
import type { PromotionState } from '../release.ts';
import { EVERY_RELEASE, promotionOf } from './gate.ts';
import type { AnswerOf } from './answer.ts';
import type { Gate, GateQuestion } from './gate.ts';

/** May another member of its group run now, after those that run and those that failed? */
export const groupGate: Gate<'GROUP'> = {
  name: 'GROUP',
  of: EVERY_RELEASE,
  appliesTo: ({ group }) => group !== null,
  ask: askGroup,
};

function askGroup(question: GateQuestion): AnswerOf<'GROUP'> {
  const { plan, state, position } = question;
  const group = plan.groups[promotionOf(question).group as number] as PlannedGroup;
  const gate = 'GROUP' as const;
  const at = group.members.filter((each) => each !== position);
  const others = at.map((each) => state.promotions[each] as PromotionState);
  const failed = at.filter((each) => isStandingFailure(state, each)).length;
  if (failed > group.maxFailures) {
    return {
      gate,
      verdict: 'fail',
      reason: `${failed} of group ${group.name} failed, ${group.maxFailures} may`,
    };
  }
  const running = others.filter(occupiesEnvironment).length;
  if (running >= group.maxParallel) {
    return {
      gate,
      verdict: 'wait',
      reason: `${running} of group ${group.name} are running, ${group.maxParallel} may at once`,
      who: group.name,
    };
  }
  return { gate, verdict: 'pass', reason: `group ${group.name}: ${running} running, ${failed} failed` };
}
