import type { Selectable } from '../selectors.ts';
import { EVERYTHING, mayDo } from './grants.ts';
import type { HeldGrant } from './grants.ts';
import { ROLE_PERMISSIONS } from './permissions.ts';

/**
 * What a caller may see, by name, as definitions are now: lists are filtered by it in SQL, events one by one. A product that is
 * not here does not exist for the caller; neither does an environment that is in none of its sets.
 */
export interface Visibility {
  /** Product → the environments that are seen of it; null: all of them, workflow steps included. */
  products: ReadonlyMap<string, ReadonlySet<string> | null>;
  /** Environments that are seen at all. */
  environments: ReadonlySet<string>;
}

/** @returns null for a caller who sees everything, also what is not defined any more. */
export function visibilityOf(
  grants: readonly HeldGrant[],
  products: readonly Selectable[],
  environments: readonly Selectable[],
): Visibility | null {
  if (mayDo(grants, 'VIEW', EVERYTHING)) return null;
  const viewing = grants.filter(({ role }) => ROLE_PERMISSIONS[role].includes('VIEW'));
  const selected = viewing.map((grant) => ({
    grant,
    seen: environments.filter((each) => mayDo([grant], 'VIEW', { product: 'ANY', environment: each })),
  }));
  const seen = new Map<string, ReadonlySet<string> | null>();
  for (const product of products) {
    const fitting = selected.filter(({ grant }) => mayDo([grant], 'VIEW', { product, environment: 'ANY' }));
    if (fitting.length === 0) continue;
    const everywhere = fitting.some(({ grant }) => mayDo([grant], 'VIEW', { product, environment: 'ALL' }));
    seen.set(product.name, everywhere ? null : new Set(fitting.flatMap((each) => namesIn(each, product))));
  }
  return { products: seen, environments: new Set(selected.flatMap((each) => each.seen.map(({ name }) => name))) };
}

function namesIn({ grant, seen }: { grant: HeldGrant; seen: Selectable[] }, product: Selectable): string[] {
  const here =
    grant.within === undefined ? seen : seen.filter((environment) => mayDo([grant], 'VIEW', { product, environment }));
  return here.map(({ name }) => name);
}

/** `environment` null: of the product as a whole, or of a step that has no environment. */
export function sees(visibility: Visibility | null, product: string, environment: string | null): boolean {
  if (visibility === null) return true;
  const environments = visibility.products.get(product);
  if (environments === undefined) return false;
  return environment === null || environments === null || environments.has(environment);
}
