import type { StoredDefinition } from '../definitions.ts';
import { selectFlow, whyNone } from './select-flow.ts';
import type { TriggerCommit } from './select-flow.ts';
import { refusal, RefusedError } from '../problems.ts';
import { quoteList } from '../wording.ts';

type Product = StoredDefinition<'Product'>;
type Flow = StoredDefinition<'PromotionFlow'>;
type Entry = Product['spec']['promotionFlows'][number];

const asksForCommit = ({ gitTriggerSelectors = [] }: Entry): boolean => gitTriggerSelectors.length > 0;

/** The trigger environments of which the commit (its message, its branches, its tags) has a say in which flow is taken. */
export function environmentsOfCommits({ spec }: Product, flows: readonly Flow[]): string[] {
  const names = new Set(spec.promotionFlows.filter(asksForCommit).map(({ name }) => name));
  const chosen = flows.filter(({ metadata }) => names.has(metadata.name));
  return [...new Set(chosen.map((each) => each.spec.triggerEnvironment))];
}

/**
 * By the rules, for each environment that triggers a flow; several answers are refused, never picked from.
 * @param commitIn the commit that a release of this environment would bring
 * @throws RefusedError
 */
export function chooseFlow(
  product: Product,
  flows: readonly Flow[],
  commitIn: (environment: string) => TriggerCommit,
): Flow {
  const environments = [...new Set(flows.map((each) => each.spec.triggerEnvironment))];
  const answers = environments.map((each) => selectFlow(product, each, commitIn(each), flows));
  const found = [...new Set(answers.flatMap((each) => (each.flow ? [each.flow] : [])))];
  const [only] = found;
  if (only && found.length === 1) return only;
  if (!only) throw new RefusedError([whyNone(product, answers)]);
  const names = quoteList(
    found.map((each) => each.metadata.name),
    20,
  );
  throw new RefusedError([
    refusal('AMBIGUOUS_FLOW', `several flows fit: ${names}; name one of them as \`flow\``, ['flow']),
  ]);
}

/** Every flow that can be taken, whatever the commit turns out to be: the caller must be allowed to trigger each of them. */
export function possibleFlows(product: Product, flows: readonly Flow[]): Flow[] {
  const environments = [...new Set(flows.map((each) => each.spec.triggerEnvironment))];
  const found = environments.flatMap((each) => possibleIn(product, flows, each));
  return [...new Set(found)];
}

/** Each entry is taken as if the commit fitted, and then passed over as if it did not. */
function possibleIn(product: Product, flows: readonly Flow[], environment: string): Flow[] {
  const names = new Set(flows.map((each) => each.metadata.name));
  const found: Flow[] = [];
  for (let entries = product.spec.promotionFlows.filter(({ name }) => names.has(name)); ;) {
    const spec = { ...product.spec, promotionFlows: entries.map(withoutSelectors) };
    const { flow, ...answer } = selectFlow({ ...product, spec }, environment, undefined, flows);
    if (flow) found.push(flow);
    const taken = 'entry' in answer && answer.entry !== undefined ? entries[answer.entry] : undefined;
    if (taken === undefined || !asksForCommit(taken)) return found;
    entries = entries.filter((each) => each !== taken);
  }
}

const withoutSelectors = ({ gitTriggerSelectors: _, ...entry }: Entry): Entry => entry;
