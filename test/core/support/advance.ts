import { advance as decide } from '../../../src/core/advance.ts';
import { frozen } from './frozen.ts';

/**
 * As the core does it, on a state that throws when the core writes to it, and with a state that throws when a later decision does: a
 * process remembers states, and two of them share what did not change between them.
 */
export function advance(...[plan, state, ...rest]: Parameters<typeof decide>): ReturnType<typeof decide> {
  const decision = decide(plan, frozen(state), ...rest);
  if (decision !== 'NEEDS_FACTS') frozen(decision.state);
  return decision;
}
