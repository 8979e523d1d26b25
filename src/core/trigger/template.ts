import type { Definition, PromotionTemplateSpec, StoredDefinition } from '../definitions.ts';
import { matchesSelector } from '../selectors.ts';

/**
 * The product's own template, the one that it names, or the first by priority, and then by name, whose selector matches the application.
 * Where a product has both, each field is that of its own template, and what that leaves out is that of the other one.
 */
export function templateFor(
  { spec: { promotionTemplate, promotionTemplateRef } }: StoredDefinition<'Product'>,
  application: Pick<Definition<'Application'>, 'metadata' | 'spec'>,
  templates: readonly StoredDefinition<'PromotionTemplate'>[],
): PromotionTemplateSpec | undefined {
  const referred = templates.find((each) => each.metadata.name === promotionTemplateRef)?.spec;
  if (promotionTemplate) return { ...referred, ...promotionTemplate };
  if (promotionTemplateRef !== undefined) return referred;
  const subject = selectable(application);
  const matching = templates.filter(
    ({ spec }) => spec.applicationSourceSelector && matchesSelector(spec.applicationSourceSelector, subject),
  );
  const before = (a: (typeof matching)[number], b: (typeof matching)[number]): number =>
    (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);
  return matching.sort(before)[0]?.spec;
}

/** Published templates select applications by two labels that nobody has to write. */
function selectable({ metadata, spec }: Pick<Definition<'Application'>, 'metadata' | 'spec'>) {
  const { product, environment } = spec;
  return {
    name: metadata.name,
    labels: { 'codefresh.io/product': product, 'codefresh.io/environment': environment, ...metadata.labels },
  };
}
