import type { Hooks, PromotionFlowSpec } from '../definitions.ts';
import { quote, type Refusals } from '../wording.ts';
import type { Members } from './graph.ts';

/** A `Map` or a `Set` will do; `keys` is only read to suggest what may have been meant. */
export interface Names {
  has(name: string): boolean;
  keys?(): Iterable<string>;
}

/** What exists besides the flow. `groups` holds the members as they are resolved now. */
export interface Known {
  environments: Names;
  groups: Members;
  workflows: Names;
}

/** What the parts of the check share. */
export interface Checking {
  spec: PromotionFlowSpec;
  known: Known;
  when: 'SAVED' | 'RELEASED';
  refusals: Refusals;
  warnings: Set<string>;
}

export function checkEnvironmentName({ known, refusals }: Checking, name: string, path: (string | number)[]): void {
  if (known.environments.has(name)) return;
  const hint = known.groups.has(name)
    ? ` ${quote(name)} is a group: write "group: ${name}".`
    : refusals.hint(name, known.environments.keys?.());
  refusals.add(
    'UNKNOWN_REFERENCE',
    `environment ${quote(name)} does not exist; create it or name another one.${hint}`,
    path,
  );
}

export function checkWorkflowName({ known, refusals }: Checking, name: string, path: (string | number)[]): void {
  if (known.workflows.has(name)) return;
  const hint = refusals.hint(name, known.workflows.keys?.());
  refusals.add(
    'UNKNOWN_REFERENCE',
    `workflow ${quote(name)} does not exist; create it or name another one.${hint}`,
    path,
  );
}

export function checkHooks(checking: Checking, hooks: Hooks | undefined, path: (string | number)[]): void {
  for (const [hook, workflow] of Object.entries(hooks ?? {})) {
    if (workflow === undefined || workflow === null) continue;
    checkWorkflowName(checking, workflow, [...path, hook]);
    checking.warnings.add('hooks are stored but not run yet');
  }
}

/** Longer than any release should live, short enough that every date stays a date. */
export const MAX_DURATION = 366 * 24 * 60 * 60 * 1000;

export function checkTimeout(
  { refusals }: Checking,
  timeout: number,
  whose: string,
  path: (string | number)[],
  what = 'timeout',
): void {
  if (Number.isSafeInteger(timeout) && timeout > 0 && timeout <= MAX_DURATION) return;
  refusals.add(
    'INVALID',
    `the ${what} of ${whose} is ${quote(timeout)} ms; it must be more than 0 and at most 366 days, for example 30m`,
    path,
  );
}
