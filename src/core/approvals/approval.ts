import type { Caller, Maker } from '../caller.ts';
import type { ApprovalRule, ApprovalSpec } from '../definitions.ts';
import { seat } from './match.ts';
import { personsOf } from './person.ts';
import type { Act } from './person.ts';

/**
 * What was asked and what was answered before one attempt of one promotion. It stands in the promotion's state, so it is bound
 * to the release, the environment, the attempt and the plan that the release froze; a retry asks again.
 */
export interface ApprovalState {
  /** When it was asked for: as soon as the promotion's dependencies were met. Milliseconds since the epoch, UTC. */
  requestedAt: number;
  expiresAt: number;
  /** Set when that time was over and too little had been said. */
  expiredAt: number | null;
  /** In the order in which they were made. A REJECTED one is the last. */
  decisions: ApprovalDecision[];
}

export interface ApprovalDecision {
  kind: 'APPROVED' | 'REJECTED';
  /** Null: a caller without a name, on a server without authentication. */
  by: string | null;
  at: number;
  comment: string | null;
  via: DecisionChannel;
  /** Positions of the rules that the person counts for, by the groups and roles of that moment. */
  rules: number[];
  /** Who made the link or token that brought it; absent: the person used nothing that another caller had made. */
  makers?: readonly Maker[];
}

/** How a decision came: with an API call, by a signed link that a person opened, or as a signed message of another system. */
export type DecisionChannel = 'API' | 'LINK' | 'WEBHOOK';

export type ApprovalStatus = 'OPEN' | 'GRANTED' | 'REJECTED' | 'EXPIRED';

export interface RuleProgress {
  rule: ApprovalRule;
  /** The approvals that count for this rule, in the best assignment of all of them. */
  approvals: ApprovalDecision[];
  missing: number;
}

/** Nothing but "an approval": one, by anyone who may approve. */
const ANYONE: ApprovalRule[] = [{ count: 1 }];

/** Who is asked: an approval without rules asks for one, by anyone. */
export function rulesOf(spec: ApprovalSpec): ApprovalRule[] {
  return spec.rules.length > 0 ? spec.rules : ANYONE;
}

/**
 * The rules that a caller counts for. A rule without names takes anyone, also a caller without a name; a rule that names
 * people takes only callers who have proven who they are.
 */
export function rulesFor(spec: ApprovalSpec, caller: Caller | null): number[] {
  return rulesOf(spec).flatMap(({ users = [], groups = [], roles = [] }, position) => {
    const anyone = users.length + groups.length + roles.length === 0;
    const named =
      caller !== null &&
      (users.includes(caller.name) ||
        groups.some((each) => caller.groups.includes(each)) ||
        roles.some((each) => caller.roles.some((role) => role.toLowerCase() === each.toLowerCase())));
    return anyone || named ? [position] : [];
  });
}

/**
 * Per rule who counts for it and how many are missing. Before the approval is asked for, all are. Decisions that can have been one
 * person's count once, for a rule that one of them fits.
 */
export function progressOf(spec: ApprovalSpec, approval: ApprovalState | null): RuleProgress[] {
  const rules = rulesOf(spec);
  const given = (approval?.decisions ?? []).filter((each) => each.kind === 'APPROVED');
  const persons: ApprovalDecision[][] = [];
  for (const [index, person] of personsOf(given.map(actOf)).entries()) {
    (persons[person] ??= []).push(given[index] as ApprovalDecision);
  }
  const seats = seat(
    rules.map((each) => each.count),
    persons.map((each) => [...new Set(each.flatMap((decision) => decision.rules))]),
  );
  return rules.map((rule, position) => {
    const seated = persons.filter((_, person) => seats[person] === position);
    const approvals = seated.flatMap((each) => each.find((decision) => decision.rules.includes(position)) ?? []);
    return { rule, approvals, missing: rule.count - seated.length };
  });
}

/** All callers without a name are one person. */
export const actOf = ({ by, makers }: Pick<ApprovalDecision, 'by' | 'makers'>): Act => ({ name: by ?? '', makers });

/** How many approvals are still missing; 0: it may start as far as people are concerned. */
export function missingOf(spec: ApprovalSpec, approval: ApprovalState | null): number {
  return progressOf(spec, approval).reduce((sum, each) => sum + each.missing, 0);
}

/** Where a request stands. What was granted in time stays granted; what waits on after its time is EXPIRED until it is. */
export function approvalStatus(spec: ApprovalSpec, approval: ApprovalState, now: number): ApprovalStatus {
  if (approval.decisions.some((each) => each.kind === 'REJECTED')) return 'REJECTED';
  const late = approval.expiredAt !== null || approval.expiresAt <= now;
  if (missingOf(spec, approval) === 0) return 'GRANTED';
  return late ? 'EXPIRED' : 'OPEN';
}

/** `2 of group release-managers`, `1 of ada, grace or role approver`, `1 person who may approve`. */
export function describeRule(
  { name, users = [], groups = [], roles = [] }: ApprovalRule,
  count: number,
  what: 'approve' | 'roll back' = 'approve',
): string {
  const named = [...users, ...groups.map((each) => `group ${each}`), ...roles.map((each) => `role ${each}`)];
  const last = named.pop();
  const anyone = `${count === 1 ? '1 person' : `${count} people`} who may ${what}`;
  const who =
    last === undefined ? anyone : `${count} of ${named.length === 0 ? last : `${named.join(', ')} or ${last}`}`;
  return `${who}${name === undefined ? '' : ` (${name})`}`;
}

export const nameOf = (by: string | null): string => by ?? 'a person without a name';
