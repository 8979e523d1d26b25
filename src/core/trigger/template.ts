import type { PromotionTemplateSpec, StoredDefinition } from '../definitions.ts';
import { matchesSelector } from '../selectors.ts';
import type { Selectable } from '../selectors.ts';

/** The product's own template, the one that it names, or the first by priority whose selector matches the application. */
export function templateFor(
  { spec: { promotionTemplate, promotionTemplateRef } }: StoredDefinition<'Product'>,
  application: Selectable,
  templates: readonly StoredDefinition<'PromotionTemplate'>[],
): PromotionTemplateSpec | undefined {
  if (promotionTemplate) return promotionTemplate;
  if (promotionTemplateRef !== undefined)
    return templates.find((each) => each.metadata.name === promotionTemplateRef)?.spec;
  const matching = templates.filter(
    ({ spec }) => spec.applicationSourceSelector && matchesSelector(spec.applicationSourceSelector, application),
  );
  return matching.sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0))[0]?.spec;
}
