import type { Definition, Kind } from '../core/definitions.ts';
import { checkProposals, environmentsByPullRequest } from '../core/flow/check-proposals.ts';
import { environmentsOf } from '../core/flow/graph.ts';
import type { Refusal } from '../core/problems.ts';
import { mayTravel } from '../core/trigger/sources.ts';
import type { Definitions } from './check-references.ts';

/**
 * Pull requests need a host that has them: a flow, a product or an application by which something would be promoted by pull request
 * where that cannot be is refused, with the name of the application and the cure.
 */
export async function checkPullRequests(among: Definitions, definition: Definition): Promise<Refusal[]> {
  if (!CONCERNED.has(definition.kind) || (isFlow(definition) && !proposes(definition))) return [];
  const flows = await among.all('PromotionFlow');
  const withThis = <K extends Kind>(kind: K, all: Definition<K>[]): Definition<K>[] =>
    definition.kind === kind
      ? [...all.filter((each) => each.metadata.name !== definition.metadata.name), definition as Definition<K>]
      : all;
  const proposing = withThis('PromotionFlow', flows).filter(proposes);
  if (proposing.length === 0) return [];
  const { groups } = await among.known();
  const products = withThis('Product', await among.all('Product'));
  const all = withThis('Application', await among.all('Application'));
  const { kind, metadata } = definition;
  const concerned = proposing.flatMap((flow) => {
    const environments = environmentsByPullRequest(flow.spec, groups);
    const travelling = products.filter((product) => mayTravel(product, flow));
    return all.filter(({ metadata: { name }, spec }) => {
      const mine =
        kind === 'Application'
          ? name === metadata.name
          : kind === 'Product'
            ? spec.product === metadata.name
            : flow.metadata.name === metadata.name;
      return (
        mine && environments.has(spec.environment) && travelling.some((each) => each.metadata.name === spec.product)
      );
    });
  });
  if (concerned.length === 0) return [];
  const forges = await among.forges();
  return [...new Set(concerned)].flatMap((application) => {
    const refusals = checkProposals([application], forges);
    if (!isFlow(definition)) return refusals;
    // The flow is at fault in the step that promotes there.
    const { environment } = application.spec;
    const at = definition.spec.steps.findIndex((step) => environmentsOf(step, groups).includes(environment));
    return refusals.map((each) => ({ ...each, path: ['spec', 'steps', at, 'policy', 'action'] }));
  });
}

const CONCERNED: ReadonlySet<Kind> = new Set<Kind>(['PromotionFlow', 'Product', 'Application']);

const isFlow = (definition: Definition): definition is Definition<'PromotionFlow'> =>
  definition.kind === 'PromotionFlow';
const proposes = ({ spec }: Definition<'PromotionFlow'>): boolean =>
  spec.steps.some(({ policy }) => policy?.action === 'pr');
