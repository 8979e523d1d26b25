import type { Definition, PromotionTemplateSpec, StoredDefinition } from '../definitions.ts';
import { matchesSelector } from '../selectors.ts';
import { quote, quoteList } from '../wording.ts';

/** What of a template is merged; the rest says which applications it is for. */
const SETTINGS = ['versionSource', 'onMissing', 'whenAbsent', 'whenGone'] as const;

type Template = StoredDefinition<'PromotionTemplate'>;
type Content = Omit<PromotionTemplateSpec, 'applicationSourceSelector' | 'priority'>;
type Application = Pick<Definition<'Application'>, 'metadata' | 'spec'>;

/**
 * The product's own template, the one that it names, or all whose selectors match the application, on top of each other. Where a product
 * has both of its own, each field is that of its own template, and what that leaves out is that of the other one.
 */
export function templateFor(
  { spec: { promotionTemplate, promotionTemplateRef } }: StoredDefinition<'Product'>,
  application: Application,
  templates: readonly Template[],
): PromotionTemplateSpec | undefined {
  const referred = templates.find((each) => each.metadata.name === promotionTemplateRef)?.spec;
  if (promotionTemplate) return { ...referred, ...promotionTemplate };
  if (promotionTemplateRef !== undefined) return referred;
  const matching = matchingTemplates(application, templates);
  return matching.length > 0 ? merged(matching) : undefined;
}

/** Which of several templates each part of the merged one comes from, in a sentence; empty where no two are merged. */
export function explainTemplate(
  { spec: { promotionTemplate, promotionTemplateRef } }: StoredDefinition<'Product'>,
  application: Application,
  templates: readonly Template[],
): string[] {
  if (promotionTemplate || promotionTemplateRef !== undefined) return [];
  const matching = matchingTemplates(application, templates);
  if (matching.length < 2) return [];
  const from = new Map<string, Template>();
  for (const each of matching) {
    for (const file of Object.keys(each.spec.promotion ?? {})) from.set(file, each);
    for (const setting of SETTINGS) if (each.spec[setting] !== undefined) from.set(setting, each);
  }
  const parts = matching.map((each) => {
    const given = [...from].flatMap(([part, by]) => (by === each ? [part] : []));
    const { metadata, spec } = each;
    return `${quote(metadata.name)} (priority ${spec.priority ?? 0}) gives ${given.length > 0 ? quoteList(given) : 'nothing'}`;
  });
  return [`application ${quote(application.metadata.name)}: of its templates ${parts.join('; ')}`];
}

/** In the order in which they are laid on top of each other: by priority, of equal ones by name. */
function matchingTemplates(application: Application, templates: readonly Template[]): Template[] {
  const subject = selectable(application);
  return templates
    .filter(({ spec }) => spec.applicationSourceSelector && matchesSelector(spec.applicationSourceSelector, subject))
    .sort((a, b) => (a.spec.priority ?? 0) - (b.spec.priority ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1));
}

/** A later one gives the files and the settings that it has, and leaves the others as they are. */
function merged(templates: readonly Template[]): Content {
  const content: Content = {};
  for (const { spec } of templates) {
    for (const setting of SETTINGS)
      if (spec[setting] !== undefined) Object.assign(content, { [setting]: spec[setting] });
    if (spec.promotion) content.promotion = { ...content.promotion, ...spec.promotion };
  }
  return content;
}

/** Published templates select applications by two labels that nobody has to write. */
function selectable({ metadata, spec }: Application) {
  const { product, environment } = spec;
  return {
    name: metadata.name,
    labels: { 'codefresh.io/product': product, 'codefresh.io/environment': environment, ...metadata.labels },
  };
}
