import type { EnvironmentGroupSpec, EnvironmentSpec } from '../definitions.ts';
import { LEAST_FRESHNESS } from '../definitions.ts';
import type { Checks } from './rules.ts';

export function checkEnvironment(checks: Checks, spec: EnvironmentSpec): void {
  checks.description(spec.description);
  checks.oneOf(spec.kind, ['NON_PRODUCTION', 'PRODUCTION'], 'the kind', ['spec', 'kind']);
}

export function checkEnvironmentGroup(checks: Checks, spec: EnvironmentGroupSpec): void {
  const { gate } = spec;
  const path = ['spec', 'gate'];
  checks.description(spec.description);
  checks.selector(spec.environments, ['spec', 'environments']);
  checks.oneOf(gate.policy, ['ALL', 'ANY', 'AT_LEAST'], 'the gate', [...path, 'policy']);
  checks.integer(gate.count, 'count', 1, 1000, [...path, 'count']);
  checks.integer(gate.percent, 'percent', 1, 100, [...path, 'percent']);
  checks.duration(gate.unknownTimeout, 'unknownTimeout', [...path, 'unknownTimeout']);
  checks.duration(gate.soak, 'soak', [...path, 'soak'], 0);
  checks.duration(gate.freshness, 'freshness', [...path, 'freshness']);
  if (gate.freshness !== undefined && gate.freshness > 0 && gate.freshness < LEAST_FRESHNESS) {
    const why = 'health is asked every few seconds, and would be out of date between two looks';
    checks.invalid(`freshness is ${gate.freshness} ms; write 10s or more: ${why}`, [...path, 'freshness']);
  }
  const quorum = [gate.count, gate.percent].filter((each) => each !== undefined).length;
  if (gate.policy === 'AT_LEAST' && quorum !== 1) {
    checks.invalid('AT_LEAST needs a count or a percent, one of them', path);
  } else if (gate.policy !== 'AT_LEAST' && quorum > 0) {
    checks.invalid(`count and percent belong to AT_LEAST; remove them from ${gate.policy}`, path);
  }
  checks.integer(spec.maxParallel, 'maxParallel', 1, 1000, ['spec', 'maxParallel']);
  checks.integer(spec.maxFailures, 'maxFailures', 0, 1000, ['spec', 'maxFailures']);
}
