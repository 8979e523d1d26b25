import { matchesSelector } from '../selectors.ts';
import type { Selectable } from '../selectors.ts';
import { isUnlimited } from './grants.ts';
import type { Grant } from './grants.ts';
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
  grants: readonly Grant[],
  products: readonly Selectable[],
  environments: readonly Selectable[],
): Visibility | null {
  const viewing = grants.filter(({ role }) => ROLE_PERMISSIONS[role].includes('VIEW'));
  if (viewing.some((each) => isUnlimited(each.products) && isUnlimited(each.environments))) return null;
  const selected = viewing.map((grant) => ({
    grant,
    everywhere: isUnlimited(grant.environments),
    names: environments.filter((each) => matchesSelector(grant.environments, each)).map(({ name }) => name),
  }));
  const seen = new Map<string, ReadonlySet<string> | null>();
  for (const product of products) {
    const fitting = selected.filter(({ grant }) => matchesSelector(grant.products, product));
    if (fitting.length === 0) continue;
    const everywhere = fitting.some((each) => each.everywhere);
    seen.set(product.name, everywhere ? null : new Set(fitting.flatMap(({ names }) => names)));
  }
  return { products: seen, environments: new Set(selected.flatMap(({ names }) => names)) };
}

/** `environment` null: of the product as a whole, or of a step that has no environment. */
export function sees(visibility: Visibility | null, product: string, environment: string | null): boolean {
  if (visibility === null) return true;
  const environments = visibility.products.get(product);
  if (environments === undefined) return false;
  return environment === null || environments === null || environments.has(environment);
}
