import type { DriverSpec, GitDriverSpec, StoredDefinition } from '../definitions.ts';
import { matchesGlob, matchesSelector } from '../selectors.ts';
import { triggerSettings } from './settings.ts';

/** An application of a trigger environment: a change there can start a release. */
export interface TriggerApplication<D extends DriverSpec = DriverSpec> {
  application: string;
  product: string;
  environment: string;
  driver: D;
  /** How often its repository is asked, in milliseconds: the shortest of the flows that can begin here. */
  interval: number;
}

/** One whose folder in git is looked at. */
export type TriggerSource = TriggerApplication<GitDriverSpec>;

/** What they are found in. */
export interface TriggerDefinitions {
  products: ReadonlyMap<string, StoredDefinition<'Product'>>;
  flows: readonly StoredDefinition<'PromotionFlow'>[];
  applicationsOf(product: string): readonly StoredDefinition<'Application'>[];
}

/** The applications whose changes start releases by themselves: a flow begins in their environment, and no setting is against it. */
export function triggerApplications(definitions: TriggerDefinitions): TriggerApplication[] {
  return [...definitions.products.values()].flatMap((product) => applicationsOf(definitions, product));
}

/** Those of them that have a folder in git. */
export function triggerSources(definitions: TriggerDefinitions): TriggerSource[] {
  return triggerApplications(definitions).filter((each): each is TriggerSource => each.driver.type === 'git');
}

function applicationsOf(definitions: TriggerDefinitions, product: StoredDefinition<'Product'>): TriggerApplication[] {
  const { name } = product.metadata;
  const flows = definitions.flows.filter((each) => mayTravel(product, each));
  return definitions.applicationsOf(name).flatMap(({ metadata, spec: { environment, driver } }) => {
    const settings = flows
      .filter(({ spec }) => spec.triggerEnvironment === environment)
      .map(({ spec }) => triggerSettings(product.spec, spec))
      .filter(({ automatic, branches }) => automatic && (driver.type !== 'git' || counts(branches, driver.branch)));
    if (settings.length === 0) return [];
    const interval = Math.min(...settings.map((each) => each.interval));
    return [{ application: metadata.name, product: name, environment, driver, interval }];
  });
}

/** The product lists the flow, or the flow selects the product. */
export function mayTravel(
  { metadata, spec }: Pick<StoredDefinition<'Product'>, 'metadata' | 'spec'>,
  flow: Pick<StoredDefinition<'PromotionFlow'>, 'metadata' | 'spec'>,
): boolean {
  if (spec.promotionFlows.some(({ name }) => name === flow.metadata.name)) return true;
  const { productSelector } = flow.spec;
  return productSelector !== undefined && matchesSelector(productSelector, metadata);
}

/** Whether changes on a branch count. */
export const counts = (branches: readonly string[] | undefined, branch: string): boolean =>
  branches === undefined || branches.some((each) => matchesGlob(each, branch));
