import { Extensions } from 'type-graphql';
import type { Permission, Target } from '../../core/access/index.ts';
import type { Named } from './named.ts';
import type { Lookup } from './lookup.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- arguments as GraphQL hands them over, before they are objects of classes
type Args = any;

type Found = Named | Target[] | 'OWN';
/**
 * What the arguments concern: something that they name, or places where they name nothing. OWN: the caller's own affair,
 * which takes no grant. No target at all still takes the permission somewhere.
 */
export type Targets = (args: Args, lookup: Lookup) => Found | Promise<Found>;

/**
 * Who may use a field of Query, Mutation or Subscription, when the server knows who is calling. Every one of them has a rule
 * (a test walks the schema); without one it is refused to everybody.
 */
export type Rule =
  /**
   * One permission, for everything that the arguments concern. `others`: those that the kind of the named thing can ask for
   * instead. Targets that do not exist are looked at as if they did.
   */
  | { kind: 'may'; permission: Permission; others: readonly Permission[]; on: Targets }
  /** Every caller who may view something; the field itself answers with what the caller may see and nothing else. */
  | { kind: 'sees' }
  /** Every caller who has signed in. */
  | { kind: 'signed-in' }
  /** Every caller, signed in or not; `why` is for the reader. */
  | { kind: 'anyone'; why: string };

export const SEES: Rule = { kind: 'sees' };
export const SIGNED_IN: Rule = { kind: 'signed-in' };

export function may(permission: Permission, on: Targets, others: readonly Permission[] = []): Rule {
  return { kind: 'may', permission, others, on };
}

const KEY = 'sluiceRule';

/** Stands beside @Query, @Mutation or @Subscription. */
export function Guarded(rule: Rule): MethodDecorator {
  return Extensions({ [KEY]: rule });
}

export function ruleOf(field: { extensions: Readonly<Record<string, unknown>> }): Rule | undefined {
  return field.extensions[KEY] as Rule | undefined;
}
