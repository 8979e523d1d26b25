import { expect, test } from 'vitest';
import type { RollbackCauseKind, RollbackPolicySpec, RollbackTargetSpec } from '../../../src/core/definitions.ts';
import type { ReleasePlan } from '../../../src/core/plan.ts';
import { planRollback, policyFor } from '../../../src/core/rollback/plan-rollback.ts';
import type {
  EnvironmentFacts,
  PastDeployment,
  RollbackQuestion,
  RollbackRequest,
} from '../../../src/core/rollback/plan-rollback.ts';
import type { RollbackTarget, VersionRef } from '../../../src/core/rollback/rollback.ts';
import { flowOf, planOf } from '../support/builders.ts';

export const NOW = Date.parse('2026-03-02T12:00:00Z');
export const MINUTE = 60_000;

/** The sample of the design: three regions side by side, and one more behind them. */
export const REGIONS = 'dev > staging > {us-east, eu, asia} as regions > asia-2';

/** `2.0`; `2.0#other` is called the same and has another content. */
export function versionOf(text: string): VersionRef {
  const [label = '', content = label] = text.split('#');
  return { label, digest: `sha-of-${content}` };
}

/**
 * An environment as it is drawn, the oldest first, the last deployment is live: `1.3 1.4 2.0? +2.1`.
 *
 * After a version: `?` never found healthy, `!` marked bad, `~` brought by a rollback, `*` changed by hand, `%` nobody could
 * look, `&` found healthy and its target never seen to run it, `^1.3` the floor that came with it. `+2.1` is on its way there, `(2.1)` is planned and has not started, `<2.1>1.4` is
 * a rollback under way, `=2.1` was taken back there automatically before.
 */
function drawn(name: string, picture: string): EnvironmentFacts {
  const facts: EnvironmentFacts = {
    name,
    history: [],
    inFlight: null,
    planned: [],
    rollback: null,
    automatic: [],
    excluded: null,
    source: false,
  };
  for (const [index, word] of picture.split(' ').filter(Boolean).entries()) {
    const [text = '', floor = null] = word.split('^');
    if (word.startsWith('+')) {
      facts.inFlight = { release: `of-${text.slice(1)}`, version: versionOf(text.slice(1)), floor };
    } else if (word.startsWith('(')) {
      facts.planned.push({ release: `of-${word.slice(1, -1)}`, version: versionOf(word.slice(1, -1)) });
    } else if (word.startsWith('<')) {
      const [from = '', to = ''] = word.slice(1).split('>');
      facts.rollback = { release: `back-to-${to}`, called: `back-to-${to}`, from: versionOf(from), to: versionOf(to) };
    } else if (word.startsWith('=')) {
      facts.automatic.push({
        release: `back-from-${word.slice(1)}`,
        called: `back-from-${word.slice(1)}`,
        version: versionOf(word.slice(1)),
      });
    } else facts.history.unshift(pastOf(text, floor, NOW - (100 - index) * 60 * MINUTE));
  }
  return facts;
}

function pastOf(text: string, floor: string | null, at: number): PastDeployment {
  const version = versionOf(text.replaceAll(/[?!~*%&]/g, ''));
  return {
    version,
    release: `of-${version.label}`,
    at,
    verifiedAt: text.includes('?') ? null : at + MINUTE,
    state: text.includes('*') ? 'DRIFTED' : text.includes('%') ? 'UNKNOWN' : 'KNOWN',
    markedBad: text.includes('!'),
    rollback: text.includes('~'),
    floor,
    ...(text.includes('&') && { unsynced: true }),
  };
}

export interface Drawing {
  flow?: string;
  environments: Record<string, string>;
  /** Where it failed; us-east when absent. */
  at?: string;
  /** What failed; 2.0 when absent. */
  bad?: string;
  kind?: RollbackCauseKind;
  /** Minutes. */
  age?: number;
  indefinite?: boolean;
  /** Null: there is none. When absent the siblings go back by themselves. */
  policy?: Partial<RollbackPolicySpec> | null;
  policies?: Partial<RollbackPolicySpec>[];
  asked?: string[] | 'EVERYTHING_THAT_RUNS_IT';
  to?: string;
  excluded?: Record<string, string>;
  source?: string;
  /** Nobody knows the release. */
  noPlan?: true;
}

export const target = (what: Partial<RollbackTargetSpec>): RollbackTargetSpec => ({
  condition: 'SAME_VERSION',
  mode: 'AUTOMATIC',
  ...what,
});

export const policyOf = (policy: Partial<RollbackPolicySpec>): RollbackPolicySpec => ({
  when: {},
  targets: [target({ siblings: true })],
  maxFailureAge: 20 * MINUTE,
  onTargetFailure: 'STOP',
  markBad: { scope: 'PRODUCT' },
  ...policy,
});

export function questionOf(drawing: Drawing): RollbackQuestion {
  const { flow = REGIONS, environments, at = 'us-east', bad = '2.0', age = 1, asked, to = null } = drawing;
  const one = drawing.policy === null ? [] : [policyOf(drawing.policy ?? {})];
  const rollbackPolicies = drawing.policies?.map(policyOf) ?? one;
  const plan: ReleasePlan | null = drawing.noPlan ? null : planOf(flowOf(flow, { rollbackPolicies }));
  const kind = drawing.kind ?? (asked ? 'MANUAL' : 'FAILED');
  const cause: RollbackQuestion['cause'] = {
    kind,
    environment: at,
    reason: asked ? 'customers complain' : `the promotion to ${bad} failed`,
    at: NOW - age * MINUTE,
    by: asked ? 'ann' : null,
    release: plan ? `of-${bad}` : null,
  };
  const request: RollbackRequest | null = asked ? { environments: asked, to } : null;
  return {
    now: NOW,
    product: 'billing',
    cause,
    definite: !drawing.indefinite,
    version: versionOf(bad),
    plan,
    policy: policyFor(plan, cause),
    asked: request,
    environments: Object.entries(environments).map(([name, picture]) => ({
      ...drawn(name, picture),
      excluded: drawing.excluded?.[name] ?? null,
      source: drawing.source === name,
    })),
  };
}

/** `INCLUDED 2.0 > 1.4`, or the decision alone where nothing is gone back to. */
function shown({ decision, from, to }: RollbackTarget): string {
  return to ? `${decision} ${from?.label} > ${to.label}` : decision;
}

/** Name, picture, and for each environment what happens: `DECISION from > to`, with `: reason` where the reason is the point. */
export type Row = [name: string, drawing: Drawing, expected: Record<string, string>];

/** With reasons where `expected` has them. */
function outcome(drawing: Drawing, expected: Record<string, string> = {}): Record<string, string> {
  const { targets } = planRollback(questionOf(drawing));
  return Object.fromEntries(
    targets.map((each) => {
      const withReason = expected[each.environment]?.includes(': ') ?? false;
      return [each.environment, withReason ? `${shown(each)}: ${each.reason}` : shown(each)];
    }),
  );
}

export function check(rows: Row[]): void {
  test.each(rows)('%s', (_name, drawing, expected) => {
    expect(outcome(drawing, expected)).toEqual(expected);
  });
}
