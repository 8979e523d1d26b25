import type { Definition, GitTriggerSelector } from '../definitions.ts';
import { refusal, type Refusal } from '../problems.ts';
import { describeSelector, matchesGlob, matchesSelector, specificity } from '../selectors.ts';
import { quote, quoteList } from '../wording.ts';

/** The change that arrived: its full message, and the commit, the branches and the tags that it arrived on. */
export interface TriggerCommit {
  message?: string;
  revisions?: readonly string[];
}

/**
 * `explanation` tells in order what was looked at and why it was taken or not. `entry`: by which one of the product's own list, from
 * 0; left out where a selector of the flow chose it.
 */
export type FlowSelection<F> =
  | { flow: F; entry?: number; refusal?: undefined; explanation: string[] }
  | { flow?: undefined; refusal: Refusal; explanation: string[] };

type SelectableFlow = Pick<Definition<'PromotionFlow'>, 'metadata' | 'spec'>;

/**
 * Which flow a release of `product` travels when a change arrives in `triggerEnvironment`.
 *
 * The product's own list comes first, in its order. Then flows whose `productSelector` matches, the most specific
 * first; a tie is refused, never picked. As in Kubernetes an empty selector matches every product and a missing one
 * none: a flow that names no products only runs when a product lists it or a person asks for it.
 */
export function selectFlow<F extends SelectableFlow>(
  product: Pick<Definition<'Product'>, 'metadata' | 'spec'>,
  triggerEnvironment: string,
  commit: TriggerCommit | undefined,
  flows: readonly F[],
): FlowSelection<F> {
  const explanation: string[] = [];
  const byName = new Map(flows.map((flow) => [flow.metadata.name, flow]));
  for (const [i, entry] of product.spec.promotionFlows.entries()) {
    const entryText = `entry ${i + 1} of product ${quote(product.metadata.name)}, flow ${quote(entry.name)}`;
    const unmet = (entry.gitTriggerSelectors ?? [])
      .map((each) => whyNot(each, commit))
      .find((why) => why !== undefined);
    if (unmet !== undefined) {
      explanation.push(`${entryText}: not taken, ${unmet}`);
      continue;
    }
    const flow = byName.get(entry.name);
    if (!flow) {
      // Going on would pick a flow that the product's owner ranked lower, without a word.
      const message = `${entryText}: there is no such flow; create it or remove the entry`;
      explanation.push(message);
      return {
        refusal: refusal('UNKNOWN_REFERENCE', message, ['spec', 'promotionFlows', i, 'name']),
        explanation,
      };
    }
    if (flow.spec.triggerEnvironment !== triggerEnvironment) {
      explanation.push(
        `${entryText}: not taken, ${ELSEWHERE} ${quote(flow.spec.triggerEnvironment)}, ` +
          `not ${quote(triggerEnvironment)}`,
      );
      continue;
    }
    explanation.push(`${entryText}: taken, the first entry that matches`);
    return { flow, entry: i, explanation };
  }
  return selectBySelector(product, triggerEnvironment, flows, explanation);
}

function selectBySelector<F extends SelectableFlow>(
  product: Pick<Definition<'Product'>, 'metadata' | 'spec'>,
  triggerEnvironment: string,
  flows: readonly F[],
  explanation: string[],
): FlowSelection<F> {
  const subject = { name: product.metadata.name, labels: product.metadata.labels };
  let best: F[] = [];
  let bestSpecificity = -1;
  for (const flow of flows) {
    if (flow.spec.triggerEnvironment !== triggerEnvironment) continue;
    const selector = flow.spec.productSelector;
    const text = `flow ${quote(flow.metadata.name)}`;
    if (!selector) {
      explanation.push(`${text}: not taken, it has no productSelector and the product does not list it`);
    } else if (!matchesSelector(selector, subject)) {
      explanation.push(`${text}: not taken, its productSelector (${describeSelector(selector)}) does not match`);
    } else {
      explanation.push(`${text}: its productSelector (${describeSelector(selector)}) matches`);
      const rank = specificity(selector);
      if (rank > bestSpecificity) [best, bestSpecificity] = [[flow], rank];
      else if (rank === bestSpecificity) best.push(flow);
    }
  }
  if (best.length === 1) {
    explanation.push(`flow ${quote(best[0]!.metadata.name)}: taken, the most specific productSelector`);
    return { flow: best[0]!, explanation };
  }
  const where = `product ${quote(product.metadata.name)} and trigger environment ${quote(triggerEnvironment)}`;
  if (best.length > 0) {
    const names = quoteList(best.map((flow) => flow.metadata.name).sort(), 20);
    const message =
      `several flows match ${where} equally well: ${names}; ` +
      `list one of them in the product's promotionFlows, make a selector narrower, or name the flow`;
    return { refusal: refusal('AMBIGUOUS_FLOW', message, ['flow']), explanation };
  }
  const tried = explanation.length ? `; tried: ${tell(explanation)}` : '; no flow has this trigger environment';
  const message = `no flow for ${where}: list one in the product's promotionFlows, or name the flow${tried}`;
  return { refusal: refusal('NO_FLOW', message, ['flow']), explanation };
}

/**
 * Why no flow fits, whichever environment triggers it: what the product lists and what selects it, and why each was not taken.
 * `answers`: of every environment that triggers a flow.
 */
export function whyNone(
  product: Pick<Definition<'Product'>, 'metadata' | 'spec'>,
  answers: readonly FlowSelection<unknown>[],
): Refusal {
  const broken = answers.find(({ refusal: each }) => each !== undefined && each.code !== 'NO_FLOW')?.refusal;
  if (broken) return broken;
  // That an entry is for another environment is said by the answer of that one.
  const tried = [...new Set(answers.flatMap((each) => each.explanation))].filter((each) => !each.includes(ELSEWHERE));
  const name = quote(product.metadata.name);
  const unknown = tried.some((each) => each.includes(NOT_KNOWN));
  const hint = unknown ? `; ${HOW_KNOWN}` : '';
  const because = tried.length > 0 ? `: ${tell(tried)}${hint}` : ': there is none that it could travel';
  const cure =
    product.spec.promotionFlows.length > 0 ? '' : 'list one in its promotionFlows, give a flow a productSelector, or ';
  return refusal('NO_FLOW', `no flow fits product ${name}${because}. To choose, ${cure}name one as \`flow\``, ['flow']);
}

const ELSEWHERE = 'it is triggered by environment';
const NOT_KNOWN = 'is not known';
const HOW_KNOWN = 'the commit is read when a release is triggered, not for its plan, which knows of `commit` alone';

function tell(explanation: string[]): string {
  const more = explanation.length > 10 ? `; and ${explanation.length - 10} more` : '';
  return explanation.slice(0, 10).join('; ') + more;
}

/** Undefined when the selector is met. A change whose message is not known meets no selector, not even NotIn. */
function whyNot({ key, operator, values }: GitTriggerSelector, commit: TriggerCommit | undefined): string | undefined {
  // Git ends a message with a line break, which no selector contains.
  const texts = key === 'commitMessage' ? oneText(commit?.message) : (commit?.revisions ?? []);
  if (texts.length === 0) return `the ${key} ${NOT_KNOWN}`;
  const hit = values.find((value) => texts.some((text) => matchesGlob(value, text) || isShortFor(value, text)));
  const what = `${key} ${quoteList(texts, 5)}`;
  if (operator === 'In') return hit === undefined ? `${what} is not in ${quoteList(values)}` : undefined;
  return hit === undefined ? undefined : `${what} is in ${quote(hit)}`;
}

const oneText = (text: string | undefined): string[] => (text === undefined ? [] : [text.trim()]);

/** The first digits of a commit's id, as people write it. */
const isShortFor = (value: string, text: string): boolean =>
  /^[0-9a-f]{7,63}$/.test(value) && /^[0-9a-f]{40,64}$/.test(text) && text.startsWith(value);
