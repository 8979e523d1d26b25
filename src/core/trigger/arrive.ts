import type { StoredDefinition } from '../definitions.ts';
import { matchesGlob } from '../selectors.ts';
import { quote } from '../wording.ts';
import type { CommitNote } from './change.ts';
import type { CommitFacts } from './commits.ts';
import type { MoveVerdict } from './move.ts';
import { selectFlow } from './select-flow.ts';
import { triggerSettings } from './settings.ts';
import { counts } from './sources.ts';

/** An application of the trigger environment whose content changed. */
export interface Changed {
  application: string;
  branch: string;
  verdict: Pick<MoveVerdict, 'commits' | 'touched' | 'chain'>;
}

/** What arrived in a trigger environment, all at one look. */
export interface Arrival {
  product: StoredDefinition<'Product'>;
  flows: readonly StoredDefinition<'PromotionFlow'>[];
  environment: string;
  changed: readonly Changed[];
  /** What stands at the newest commit, besides the branches of the applications. */
  refs?: { branches: readonly string[]; tags: readonly string[] };
}

/** What becomes of it: nothing, in words, or a candidate on this flow. */
export type Arrived =
  | { kind: 'NOTHING'; why: string; explanation: string[] }
  | {
      kind: 'CANDIDATE';
      flow: string;
      /** In milliseconds. */
      coalesce: number;
      /** The newest commit of people, with which the flow was chosen. */
      newest: CommitFacts;
      branch: string;
      notes: CommitNote[];
      chain: number;
      explanation: string[];
    };

/** Two installations that trigger each other end: what so many made, one after the other, starts nothing more. */
const MOST_CHAINED = 8;

/** The flow is chosen with the newest commit; then its settings and the product's say whether the change counts. */
export function arrive({ product, flows, environment, changed, refs }: Arrival): Arrived {
  const all = changed.flatMap(({ application, verdict }) => {
    // A commit is no newer than those after it, whatever the clock of its committer said.
    let at = Infinity;
    return verdict.commits.map((each) => ({ application, ...each, at: (at = Math.min(at, Date.parse(each.date))) }));
  });
  const inOrder = all.toSorted((one, other) => other.at - one.at);
  const [newest] = inOrder as [(typeof inOrder)[number]];
  const branches = [...new Set([...changed.map((each) => each.branch), ...(refs?.branches ?? [])])];
  const revisions = [newest.commit, ...branches, ...(refs?.tags ?? [])];
  const chosen = selectFlow(product, environment, { message: newest.message, revisions }, flows);
  const { explanation } = chosen;
  const nothing = (why: string): Arrived => ({ kind: 'NOTHING', why, explanation });
  if (!chosen.flow) return nothing(chosen.refusal.message);
  const { metadata, spec } = chosen.flow;
  const settings = triggerSettings(product.spec, spec);
  const flow = `flow ${quote(metadata.name)}`;
  if (!settings.automatic) return nothing(`automatic triggers are off for ${flow} and this product`);
  const onBranch = changed.filter(({ branch }) => counts(settings.branches, branch));
  if (onBranch.length === 0) return nothing(`changes on branch ${quote(branches[0])} do not trigger ${flow}`);
  const counting = onBranch.filter(({ verdict }) => !isIgnored(verdict.touched, settings.ignorePaths));
  if (counting.length === 0) return nothing(`all paths that changed are ignored for ${flow}`);
  const chain = Math.max(...changed.map(({ verdict }) => verdict.chain));
  if (chain > MOST_CHAINED)
    return nothing(
      `it went through ${chain} installations of Sluice, more than ${MOST_CHAINED}: nothing starts by itself`,
    );
  const notes = inOrder.map(({ application, commit, author, message, date }) => ({
    application,
    commit,
    author,
    subject: message.split('\n', 1)[0]!.slice(0, 200),
    date,
  }));
  const { branch } = counting[0]!;
  return {
    kind: 'CANDIDATE',
    flow: metadata.name,
    coalesce: settings.coalesce,
    newest,
    branch,
    notes,
    chain,
    explanation,
  };
}

function isIgnored(touched: readonly string[] | undefined, patterns: readonly string[]): boolean {
  if (touched === undefined || touched.length === 0) return false;
  return touched.every((path) => patterns.some((each) => matchesGlob(each, path)));
}

/** Whether some entry of the product is chosen by what a commit's branches and tags are. */
export function asksForRefs({ spec }: StoredDefinition<'Product'>): boolean {
  return spec.promotionFlows.some(({ gitTriggerSelectors = [] }) =>
    gitTriggerSelectors.some(({ key }) => key === 'gitRevision'),
  );
}
