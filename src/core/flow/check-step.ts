import { DEFAULT_MAX_AGE } from '../definitions.ts';
import type { FlowStepSpec } from '../definitions.ts';
import { quote } from '../wording.ts';
import {
  checkEnvironmentName,
  checkHooks,
  checkTimeout,
  checkWorkflowName,
  MAX_DURATION,
  type Checking,
} from './checking.ts';
import { checkApproval } from './check-approval.ts';
import { stepName } from './graph.ts';
import { spell } from '../duration.ts';

/** A step by itself: its target, its policy, its times. What it waits for is `checkDependencies`. */
export function checkStep(checking: Checking, step: FlowStepSpec, i: number): void {
  const path = ['spec', 'steps', i];
  checkTarget(checking, step, path);
  checkPolicy(checking, step, path);
  checkHooks(checking, step.hooks, [...path, 'hooks']);
  const whose = `step ${quote(stepName(step))}`;
  if (step.timeout !== undefined) checkTimeout(checking, step.timeout, whose, [...path, 'timeout']);
  if (step.approval !== undefined) {
    checkApproval(checking.refusals, step.approval, whose, [...path, 'approval']);
    warnOfLimit(checking, step.approval.expiry, whose);
  }
  const soak = step.soak;
  if (soak !== undefined && !(Number.isSafeInteger(soak) && soak >= 0 && soak <= MAX_DURATION)) {
    checking.refusals.add(
      'INVALID',
      `the soak of ${whose} is ${quote(soak)} ms; it must be 0 or more and at most 366 days, for example 10m`,
      [...path, 'soak'],
    );
  }
}

/** Waiting for people uses up no `timeout`; it ends with the release's age. */
function warnOfLimit({ spec, warnings }: Checking, expiry: number, whose: string): void {
  const limit = spec.maxAge ?? DEFAULT_MAX_AGE;
  if (expiry <= limit) return;
  warnings.add(
    `${whose} may wait ${spell(expiry)} for its approval, and the flow's maxAge ends the release after ${spell(limit)}`,
  );
}

function checkTarget(checking: Checking, step: FlowStepSpec, path: (string | number)[]): void {
  const { known, refusals } = checking;
  const given = (['environment', 'group', 'workflow'] as const).filter((key) => step[key] !== undefined);
  if (given.length !== 1) {
    const found = given.length === 0 ? 'none of them' : given.map((key) => `${key} ${quote(step[key])}`).join(' and ');
    refusals.add('INVALID', `a step has exactly one of environment, group or workflow; this one has ${found}`, path);
  }
  if (step.environment !== undefined) {
    checkEnvironmentName(checking, step.environment, [...path, 'environment']);
  }
  if (step.group !== undefined) checkGroup(checking, step.group, [...path, 'group']);
  if (step.workflow !== undefined) checkWorkflowName(checking, step.workflow, [...path, 'workflow']);
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

function checkGroup({ known, refusals }: Checking, name: string, path: (string | number)[]): void {
  const members = known.groups.get(name);
  if (members === undefined) {
    const hint = known.environments.has(name)
      ? ` ${quote(name)} is an environment: write "environment: ${name}".`
      : refusals.hint(name, known.groups.keys());
    refusals.add(
      'UNKNOWN_REFERENCE',
      `group ${quote(name)} does not exist; create it or name another one.${hint}`,
      path,
    );
  } else if (members.length === 0) {
    refusals.add(
      'INVALID',
      `group ${quote(name)} is empty: its selector matches no environment, so there is nothing to promote`,
      path,
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
  for (const key of ['preAction', 'postAction'] as const) {
    if (policy[key] !== undefined) checkWorkflowName(checking, policy[key], [...path, 'policy', key]);
  }
  if (policy.action === 'pr') {
    refusals.add('INVALID', 'pull requests are not available yet; use action commit', [...path, 'policy', 'action']);
  }
  if (policy.action === 'none' && policy.preAction === undefined) {
    refusals.add(
      'INVALID',
      `action none in step ${quote(stepName(step))} changes nothing by itself; ` +
        'add a preAction workflow that does the work, or use action commit',
      [...path, 'policy', 'action'],
    );
  }
}
