import type { Caller } from '../caller.ts';
import type { EnvironmentSelector, Selector } from '../definitions.ts';
import { matchesSelector } from '../selectors.ts';
import type { Selectable } from '../selectors.ts';
import { ROLE_PERMISSIONS, ROLES } from './permissions.ts';
import type { Permission, Role } from './permissions.ts';

/** Whom a role is granted to; groups are those that an identity provider names. */
export type SubjectKind = 'USER' | 'GROUP' | 'SERVICE_ACCOUNT';

/** A role, for products × environments; an empty selector is all of them, those to come included. */
export interface Grant {
  role: Role;
  products: Selector;
  environments: EnvironmentSelector;
}

/** A grant as its holder has it. */
export interface HeldGrant extends Grant {
  /**
   * It counts only where one of these does, too: a token that speaks for a person can do no more than the person. Two selectors have
   * no selector of what both select, so both are asked. Absent: it counts by itself.
   */
  within?: readonly Grant[];
}

/**
 * What a permission is asked for. ALL: it concerns every product (or environment) that there is or will be, so only
 * a grant without limits there will do. ANY: it concerns none in particular, so any grant will do.
 */
export interface Target {
  product: Selectable | 'ALL' | 'ANY';
  environment: Selectable | 'ALL' | 'ANY';
}

/** A target in words. UNSEEN: an environment whose name the caller may not see. */
export interface ToldTarget {
  product: Target['product'];
  environment: Target['environment'] | 'UNSEEN';
}

export const EVERYTHING: Target = { product: 'ALL', environment: 'ALL' };
export const SOMEWHERE: Target = { product: 'ANY', environment: 'ANY' };

/** Whether the role of a grant has the permission. To speak for others an ADMIN must have no limits. */
function gives({ role, products, environments }: Grant, permission: Permission): boolean {
  if (ROLE_PERMISSIONS[role].includes(permission)) return true;
  return permission === 'BRING_APPROVALS' && role === 'ADMIN' && isUnlimited(products) && isUnlimited(environments);
}

/** One grant must allow it as a whole: the product of one and the environment of another do not add up. */
export function mayDo(grants: readonly HeldGrant[], permission: Permission, target: Target): boolean {
  return grants.some(
    (grant) =>
      gives(grant, permission) &&
      includes(grant.products, target.product) &&
      includes(grant.environments, target.environment) &&
      (grant.within === undefined || mayDo(grant.within, permission, target)),
  );
}

/**
 * What a token may. A scope of a service account's is what was given to it. That of a person's is a part of what the person may: it
 * counts as long as the person may that.
 */
export function grantsOfToken(
  { scope, subjectKind }: { scope: readonly Grant[] | null; subjectKind: SubjectKind },
  granted: readonly Grant[],
): readonly HeldGrant[] {
  if (scope === null) return granted;
  return subjectKind === 'USER' ? scope.map((each) => ({ ...each, within: granted })) : scope;
}

/** The names of the roles that are granted, as rules of approvals write them. */
export function rolesOf(grants: readonly HeldGrant[]): string[] {
  const held = grants.filter(
    ({ role, within }) =>
      within === undefined ||
      ROLE_PERMISSIONS[role].every((each) => within.some((other) => ROLE_PERMISSIONS[other.role].includes(each))),
  );
  return [...new Set(held.map(({ role }) => role.toLowerCase()))];
}

/**
 * What the caller lacks, in words. `scoped`: whom the token speaks for that was used, when it has a scope: then a grant alone
 * does not help.
 */
export function mayNot(name: string, permission: Permission, target: ToldTarget, scoped?: Caller['kind']): string {
  const roles = rolesWith(permission);
  const where = target.product === 'ANY' && target.environment === 'ANY' ? 'somewhere' : 'there';
  const what = `${name} is not allowed to ${permission} ${placeOf(target)}`;
  if (scoped === undefined) return `${what}: that takes a grant of ${roles} ${where}`;
  if (scoped === 'PERSON')
    return `${what}: that takes a grant of ${roles} ${where}, and a token whose scope has it, too`;
  return `${what} with this token: that takes one whose scope has ${roles} ${where}`;
}

function rolesWith(permission: Permission): string {
  const roles: string[] = ROLES.filter((role) => ROLE_PERMISSIONS[role].includes(permission));
  return [...roles, ...(permission === 'BRING_APPROVALS' ? ['ADMIN without limits'] : [])].join(' or ');
}

function placeOf({ product, environment }: ToldTarget): string {
  const of = product === 'ALL' ? 'for all products' : product === 'ANY' ? '' : `for product "${product.name}"`;
  const where =
    environment === 'ALL'
      ? 'in all environments'
      : environment === 'UNSEEN'
        ? 'in every environment that this concerns'
        : environment === 'ANY'
          ? ''
          : `in environment "${environment.name}"`;
  return [of, where].filter(Boolean).join(' ') || 'anywhere';
}

function includes(selector: EnvironmentSelector, subject: Selectable | 'ALL' | 'ANY'): boolean {
  if (subject === 'ANY') return true;
  return subject === 'ALL' ? isUnlimited(selector) : matchesSelector(selector, subject);
}

/** Selects everything, whatever its name, labels and kind. A list of names with `*` alone is meant like that as well. */
export function isUnlimited({ names, kinds, matchLabels, matchExpressions }: EnvironmentSelector): boolean {
  return (
    (names === undefined || names.includes('*')) &&
    kinds === undefined &&
    Object.keys(matchLabels ?? {}).length === 0 &&
    (matchExpressions ?? []).length === 0
  );
}

/** Whether the holder of these grants may hand on that one: only what the holder has can be given. */
export function covers(own: readonly HeldGrant[], handed: Grant): boolean {
  return ROLE_PERMISSIONS[handed.role].every((permission) => coversPermission(own, permission, handed));
}

function coversPermission(own: readonly HeldGrant[], permission: Permission, handed: Grant): boolean {
  return own.some(
    (grant) =>
      gives(grant, permission) &&
      contains(grant.products, handed.products) &&
      contains(grant.environments, handed.environments) &&
      (grant.within === undefined || coversPermission(grant.within, permission, handed)),
  );
}

/**
 * Whether `outer` selects everything that `inner` selects, judged by their text: true is certain, false may be too careful.
 * A pattern is compared like a name, which is right: `*` in the inner one can only have been met by `*` in the outer one.
 */
export function contains(outer: EnvironmentSelector, inner: EnvironmentSelector): boolean {
  if (outer.names && !(inner.names ?? ['*']).every((name) => matchesSelector({ names: outer.names }, named(name)))) {
    return false;
  }
  if (outer.kinds && !(inner.kinds && inner.kinds.every((kind) => outer.kinds?.includes(kind)))) return false;
  for (const [key, value] of Object.entries(outer.matchLabels ?? {})) {
    if (!Object.hasOwn(inner.matchLabels ?? {}, key) || inner.matchLabels?.[key] !== value) return false;
  }
  const expressions = (inner.matchExpressions ?? []).map((each) => JSON.stringify(ordered(each)));
  return (outer.matchExpressions ?? []).every((each) => expressions.includes(JSON.stringify(ordered(each))));
}

const named = (name: string): Selectable => ({ name, labels: {} });

function ordered({ key, operator, values }: NonNullable<Selector['matchExpressions']>[number]): unknown[] {
  return [key, operator, [...(values ?? [])].sort()];
}
