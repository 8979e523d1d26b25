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
export type FlowSelection<F> = { looks: FlowLook[]; explanation: string[] } & (
  | { flow: F; entry?: number; refusal?: undefined }
  | { flow?: undefined; entry?: undefined; refusal: Refusal }
);

/** A look at a flow: by an entry of the product's list, counted from 0, or by its own selector (null). FITS: its selector matches, which is not all. */
export interface FlowLook {
  flow: string;
  entry: number | null;
  verdict: 'TAKEN' | 'FITS' | 'NOT_TAKEN' | 'UNKNOWN';
  why: string;
}

type SelectableFlow = Pick<Definition<'PromotionFlow'>, 'metadata' | 'spec'>;
type SelectingProduct = Pick<Definition<'Product'>, 'metadata' | 'spec'>;

/**
 * Which flow a release of `product` travels when a change arrives in `triggerEnvironment`.
 *
 * The product's own list comes first, in its order. Then flows whose `productSelector` matches, the most specific
 * first; a tie is refused, never picked. As in Kubernetes an empty selector matches every product and a missing one
 * none: a flow that names no products only runs when a product lists it or a person asks for it.
 */
export function selectFlow<F extends SelectableFlow>(
  product: SelectingProduct,
  triggerEnvironment: string,
  commit: TriggerCommit | undefined,
  flows: readonly F[],
): FlowSelection<F> {
  const looks: FlowLook[] = [];
  const byName = new Map(flows.map((flow) => [flow.metadata.name, flow]));
  const explained = () => ({ looks, explanation: looks.map((each) => sentenceOf(product, each)) });
  for (const [entry, { name, gitTriggerSelectors = [] }] of product.spec.promotionFlows.entries()) {
    const look = (verdict: FlowLook['verdict'], why: string): number => looks.push({ flow: name, entry, verdict, why });
    const unmet = gitTriggerSelectors.map((each) => whyNot(each, commit)).find((why) => why !== undefined);
    if (unmet !== undefined) {
      look('NOT_TAKEN', unmet);
      continue;
    }
    const flow = byName.get(name);
    if (!flow) {
      // Going on would pick a flow that the product's owner ranked lower, without a word.
      look('UNKNOWN', 'there is no such flow; create it or remove the entry');
      const message = explained().explanation.at(-1) as string;
      const refused = refusal('UNKNOWN_REFERENCE', message, ['spec', 'promotionFlows', entry, 'name']);
      return { refusal: refused, ...explained() };
    }
    if (flow.spec.triggerEnvironment !== triggerEnvironment) {
      look('NOT_TAKEN', elsewhere(flow, triggerEnvironment));
      continue;
    }
    look('TAKEN', 'the first entry that matches');
    return { flow, entry, ...explained() };
  }
  return selectBySelector(product, triggerEnvironment, flows, looks);
}

function selectBySelector<F extends SelectableFlow>(
  product: SelectingProduct,
  triggerEnvironment: string,
  flows: readonly F[],
  looks: FlowLook[],
): FlowSelection<F> {
  const subject = { name: product.metadata.name, labels: product.metadata.labels };
  let best: F[] = [];
  let bestSpecificity = -1;
  for (const flow of flows) {
    if (flow.spec.triggerEnvironment !== triggerEnvironment) continue;
    const selector = flow.spec.productSelector;
    const look = (verdict: FlowLook['verdict'], why: string): number =>
      looks.push({ flow: flow.metadata.name, entry: null, verdict, why });
    if (!selector) {
      look('NOT_TAKEN', 'it has no productSelector and the product does not list it');
    } else if (!matchesSelector(selector, subject)) {
      look('NOT_TAKEN', `its productSelector (${describeSelector(selector)}) does not match`);
    } else {
      look('FITS', `its productSelector (${describeSelector(selector)}) matches`);
      const rank = specificity(selector);
      if (rank > bestSpecificity) [best, bestSpecificity] = [[flow], rank];
      else if (rank === bestSpecificity) best.push(flow);
    }
  }
  const [only] = best;
  if (only && best.length === 1)
    looks.push({ flow: only.metadata.name, entry: null, verdict: 'TAKEN', why: 'the most specific productSelector' });
  const explanation = looks.map((each) => sentenceOf(product, each));
  if (only && best.length === 1) return { flow: only, looks, explanation };
  const where = `product ${quote(product.metadata.name)} and trigger environment ${quote(triggerEnvironment)}`;
  if (best.length > 0) {
    const names = quoteList(best.map((flow) => flow.metadata.name).sort(), 20);
    const message =
      `several flows match ${where} equally well: ${names}; ` +
      `list one of them in the product's promotionFlows, make a selector narrower, or name the flow`;
    return { refusal: refusal('AMBIGUOUS_FLOW', message, ['flow']), looks, explanation };
  }
  const tried = explanation.length ? `; tried: ${tell(explanation)}` : '; no flow has this trigger environment';
  const message = `no flow for ${where}: list one in the product's promotionFlows, or name the flow${tried}`;
  return { refusal: refusal('NO_FLOW', message, ['flow']), looks, explanation };
}

function sentenceOf(product: SelectingProduct, { flow, entry, verdict, why }: FlowLook): string {
  const text =
    entry === null
      ? `flow ${quote(flow)}`
      : `entry ${entry + 1} of product ${quote(product.metadata.name)}, flow ${quote(flow)}`;
  const words = { TAKEN: `taken, ${why}`, NOT_TAKEN: `not taken, ${why}`, FITS: why, UNKNOWN: why };
  return `${text}: ${words[verdict]}`;
}

/** Of one flow whether it is the one that starts, and why it is or is not. `entry`: by which one of the product's list, from 0. */
export interface FlowJudgement {
  flow: string;
  taken: boolean;
  entry: number | null;
  reason: string;
}

/** `selectFlow`, told of each of the flows: also of those that it did not come to. */
export function judgeFlows(
  product: SelectingProduct,
  triggerEnvironment: string,
  commit: TriggerCommit | undefined,
  flows: readonly SelectableFlow[],
): FlowJudgement[] {
  const { flow: taken, entry = null, looks } = selectFlow(product, triggerEnvironment, commit, flows);
  const rivals = looks.filter(({ verdict }) => verdict === 'FITS').map(({ flow }) => flow);
  return flows.map((flow) => {
    const { name } = flow.metadata;
    const own = looks.filter((each) => each.flow === name);
    if (flow === taken) {
      const { why = '' } = own.findLast(({ verdict }) => verdict === 'TAKEN') ?? {};
      return { flow: name, taken: true, entry, reason: why };
    }
    const listed = own.findLast((each) => each.entry !== null)?.entry ?? null;
    const told = own.map(({ why, verdict }) => (verdict === 'FITS' ? `${why}${beaten(name, taken, rivals)}` : why));
    if (flow.spec.triggerEnvironment !== triggerEnvironment && !told.some((each) => each.includes(ELSEWHERE)))
      told.push(elsewhere(flow, triggerEnvironment));
    if (told.length === 0 && entry !== null)
      told.push(`entry ${entry + 1} of the product comes first, flow ${quote(taken?.metadata.name ?? '')}`);
    if (told.length === 0) told.push('an entry of the product that comes first names a flow that does not exist');
    return { flow: name, taken: false, entry: listed, reason: [...new Set(told)].join('; ') };
  });
}

/** Its selector matches, and it is not taken all the same. */
function beaten(flow: string, taken: SelectableFlow | undefined, rivals: readonly string[]): string {
  if (taken) return `, and that of flow ${quote(taken.metadata.name)} is more specific`;
  const others = quoteList(
    rivals.filter((each) => each !== flow),
    20,
  );
  return `, and so do those of ${others}`;
}

function elsewhere({ spec }: SelectableFlow, triggerEnvironment: string): string {
  return `${ELSEWHERE} ${quote(spec.triggerEnvironment)}, not ${quote(triggerEnvironment)}`;
}

/**
 * Why no flow fits, whichever environment triggers it: what the product lists and what selects it, and why each was not taken.
 * `answers`: of every environment that triggers a flow.
 */
export function whyNone(product: SelectingProduct, answers: readonly FlowSelection<unknown>[]): Refusal {
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
  return refusal(
    'NO_FLOW',
    `no flow fits product ${name}${because}. To choose, ${cure}name one as \`flow\` (\`--flow\`)`,
    ['flow'],
  );
}

const ELSEWHERE = 'it is triggered by environment';
const NOT_KNOWN = 'is not known';
const HOW_KNOWN =
  'the commit is read from git when a release is triggered: a plan knows of `commit` alone, and a simulated target has none';

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
