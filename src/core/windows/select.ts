import { matchesGlob, matchesSelector, type Selectable } from '../selectors.ts';
import type { ReleaseWindow } from './window.ts';

export interface WindowSubject {
  environment: Selectable;
  /** Names of the environment groups that the environment is a member of. */
  groups: string[];
  /** Left out: whatever the product, so every window that the other two select. */
  product?: Selectable;
}

/** The windows that concern a product in an environment. What a selector leaves out matches everything. */
export function selectWindows(
  windows: ReleaseWindow[],
  { environment, groups, product }: WindowSubject,
): ReleaseWindow[] {
  return windows.filter(({ spec: { selector } }) => {
    const inGroup = selector.groups?.some((pattern) => groups.some((name) => matchesGlob(pattern, name))) ?? true;
    const isOfProduct = product === undefined || matchesSelector(selector.products, product);
    return inGroup && isOfProduct && matchesSelector(selector.environments, environment);
  });
}
