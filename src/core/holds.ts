import type { BadVersionScope } from './definitions.ts';

/** What people and rollbacks put in the way of promotions, besides release windows. All times in milliseconds, UTC. */

/** Nothing is promoted into the environment while it lasts: of one product, or of all. */
export interface EnvironmentHold {
  id: string;
  /** Null: of all products. */
  product: string | null;
  environment: string;
  reason: string;
  /** Null: a caller without a name, or a rollback by itself. */
  by: string | null;
  since: number;
  /** When it ends by itself; null: when it is lifted. */
  until: number | null;
  /** The rollback that made it; null: a person did. */
  rollback: string | null;
}

/** A version that was found bad, and where it may not be promoted to any more. */
export interface BadVersion {
  id: string;
  product: string;
  digest: string;
  label: string;
  scope: BadVersionScope;
  /** The group's name, for the scope GROUP. */
  group: string | null;
  /** The environment, or the group's members when the version was marked; empty for the scope PRODUCT. */
  environments: string[];
  reason: string;
  by: string | null;
  since: number;
  /** When it ends by itself; null: when the mark is taken back. */
  expiresAt: number | null;
  /** The rollback that marked it; null: a person did. */
  rollback: string | null;
}

/**
 * Whether the release may pass: what a rollback put on hold is held until a person promotes there again, so a release that a
 * person triggered after it may go there. A person's hold lets no release pass.
 */
export function letsPass(hold: EnvironmentHold, release: { createdAt: number; byPerson: boolean }): boolean {
  return hold.rollback !== null && release.byPerson && release.createdAt > hold.since;
}

/**
 * Whether a mark concerns an environment. Of a group both count, who was a member when the version was marked and who is one
 * now: a changed group must not let a bad version through.
 */
export function marks({ scope, environments, group }: BadVersion, environment: string, groups: string[]): boolean {
  if (scope === 'PRODUCT' || environments.includes(environment)) return true;
  return scope === 'GROUP' && group !== null && groups.includes(group);
}
