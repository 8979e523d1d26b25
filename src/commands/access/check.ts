import { covers, ROLE_PERMISSIONS } from '../../core/access/index.ts';
import type { Grant, Identity } from '../../core/access/index.ts';
import { environmentSelector, selector } from '../../core/kinds/common.ts';
import { refusal } from '../../core/problems.ts';
import type { Refusal } from '../../core/problems.ts';
import { Checks } from '../../core/validate/rules.ts';
import { checkShape } from '../../core/validate/shape.ts';

type Path = (string | number)[];

/** The selectors of a grant, checked as those of definitions are; refusals name their place below `path`. */
export function checkScope(
  { products, environments }: Pick<Grant, 'products' | 'environments'>,
  path: Path,
): Refusal[] {
  const checks = new Checks();
  checkShape(checks, selector, products, [...path, 'products']);
  checkShape(checks, environmentSelector, environments, [...path, 'environments']);
  return checks.all();
}

/** Whether this caller may give, or take away, this grant. `by` null: a server without authentication. */
export function mayManage(by: Identity | null, grant: Grant): boolean {
  if (!by) return true;
  return covers(
    by.grants.filter(({ role }) => ROLE_PERMISSIONS[role].includes('MANAGE_ACCESS')),
    grant,
  );
}

/**
 * Why something that acts by itself later must not be made with a token that ends before it does; null: it may.
 * @param until when it ends; null: only when a person ends it
 */
export function lastsLonger(
  by: Pick<Identity, 'lasts'> | null,
  until: Date | null,
  what: string,
  path: Path,
): Refusal | null {
  if (by?.lasts === undefined || (until !== null && until.getTime() <= by.lasts)) return null;
  const end = new Date(by.lasts).toISOString();
  const cure = until === null ? `${what} has no end here; use a token without one, or sign in` : 'name an earlier end';
  return refusal(
    'FORBIDDEN',
    `the token that you use ends at ${end}, and nothing made with it lasts longer: ${cure}`,
    path,
  );
}

/** The refusal for a caller who may not give or take away this role there. */
export function notYours(by: Identity | null, { role }: Grant, path: Path): Refusal {
  const message = `${by?.caller.name} is not ADMIN for all of these products and environments, and can neither give nor take away ${role} there`;
  return refusal('FORBIDDEN', message, path);
}
