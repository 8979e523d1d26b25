import { DEFAULT_MAX_AGE, DEFAULT_PULL_REQUEST_EXPIRY } from '../definitions.ts';
import type { FlowStepSpec } from '../definitions.ts';
import { flowStep } from '../kinds/promotion-flow.ts';
import { checkShape } from '../validate/shape.ts';
import { quote } from '../wording.ts';
import { checkEnoughPeople } from './check-approval.ts';
import type { Checking } from './checking.ts';
import { stepName } from './graph.ts';
import { spell } from '../duration.ts';

/** A step by itself: its target, its policy, its times. What it waits for is `checkDependencies`. */
export function checkStep(checking: Checking, step: FlowStepSpec, i: number): void {
  const path = ['spec', 'steps', i];
  checkShape(checking.refusals, flowStep, step, path);
  checkTarget(checking, step, path);
  checkPolicy(checking, step, path);
  if (step.approval === undefined) return;
  const whose = `step ${quote(stepName(step))}`;
  checkEnoughPeople(checking.refusals, step.approval, whose, [...path, 'approval']);
  warnOfLimit(checking, step.approval.expiry, whose, 'its approval', [...path, 'approval', 'expiry']);
}

/** Waiting for people uses up no `timeout`; it ends with the release's age. */
function warnOfLimit(
  { spec, warnings }: Checking,
  expiry: number,
  whose: string,
  what: string,
  path: (string | number)[],
): void {
  const limit = spec.maxAge ?? DEFAULT_MAX_AGE;
  if (expiry <= limit) return;
  const message = `${whose} may wait ${spell(expiry)} for ${what}, and the flow's maxAge ends the release after ${spell(limit)}`;
  warnings.push({ message, path });
}

function checkTarget(checking: Checking, step: FlowStepSpec, path: (string | number)[]): void {
  const { known, refusals } = checking;
  const given = (['environment', 'group', 'workflow'] as const).filter((key) => step[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none of them' : given.map((key) => `${key} ${quote(step[key])}`).join(' and ');
    refusals.add('INVALID', `a step has exactly one of environment, group or workflow; this one has ${found}`, path);
  }
  if (given.length !== 1) return;

  if (step.workflow === undefined) {
    if (step.name === undefined || step.name === stepName(step)) return;
    refusals.add(
      'INVALID',
      `the step of ${given[0]} ${quote(stepName(step))} is called like it; only workflow steps have a name, ` +
        `so remove name ${quote(step.name)}`,
      [...path, 'name'],
    );
    return;
  }
  if (!step.name) {
    refusals.add(
      'INVALID',
      `the step that runs workflow ${quote(step.workflow)} needs a name, so that other steps can depend on it`,
      [...path, 'name'],
    );
  } else if (step.name.length > 63 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/.test(step.name)) {
    refusals.add(
      'INVALID',
      `the step's name ${quote(step.name)} must be at most 63 lower-case letters, digits and "-", ` +
        `beginning and ending with a letter or digit`,
      [...path, 'name'],
    );
  } else if (known.environments.has(step.name) || known.groups.has(step.name)) {
    refusals.add(
      'DUPLICATE',
      `the step's name ${quote(step.name)} is also an environment's or a group's; choose another one`,
      [...path, 'name'],
    );
  }
}

function checkPolicy(checking: Checking, step: FlowStepSpec, path: (string | number)[]): void {
  const { policy } = step;
  const { refusals } = checking;
  if (step.workflow !== undefined && step.environment === undefined && step.group === undefined) {
    for (const key of ['policy', 'soak'] as const) {
      if (step[key] === undefined) continue;
      refusals.add('INVALID', `a workflow step promotes nothing, so it has no ${key}; remove it`, [...path, key]);
    }
    return;
  }
  if (!policy) return;
  // What a policy of its own kind may set is judged with it, when a release is planned.
  if (policy.pullRequest !== undefined && policy.action !== undefined && policy.action !== 'pr') {
    refusals.add(
      'INVALID',
      `step ${quote(stepName(step))} opens no pull requests, so pullRequest says nothing: use action pr, or remove it`,
      [...path, 'policy', 'pullRequest'],
    );
  }
  if (policy.action === 'pr') {
    const { expiry = DEFAULT_PULL_REQUEST_EXPIRY } = policy.pullRequest ?? {};
    const place = policy.pullRequest === undefined ? ['action'] : ['pullRequest', 'expiry'];
    warnOfLimit(checking, expiry, `step ${quote(stepName(step))}`, 'its merge', [...path, 'policy', ...place]);
  }
  if (policy.action === 'none' && policy.preAction === undefined) {
    if (checking.when !== 'SAVED') return;
    const message =
      `action none in step ${quote(stepName(step))} changes nothing by itself; ` +
      'a release is refused unless a policy names the preAction that does the work';
    checking.warnings.push({ message, path: [...path, 'policy', 'action'] });
  }
}
