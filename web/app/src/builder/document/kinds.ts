import type { PlainMap } from '../../../../../src/drivers/edit/node.ts';
import type { DraftKind, TextDocument } from './types.ts';

/** What is looked for in a text, and what it has before anything is said of it. */
interface Sought {
  emptySpec: PlainMap;
  /** For people, with its article left out. */
  called: string;
  /** Of its parts that have names. */
  list: 'steps' | 'actions';
  /** In front of the keys under which its drafts are kept. */
  kept: string;
}

/** Each kind that is edited as text. */
export const SOUGHT: Record<DraftKind, Sought> = {
  PromotionFlow: { emptySpec: { triggerEnvironment: '', steps: [] }, called: 'flow', list: 'steps', kept: '' },
  PromotionWorkflow: { emptySpec: { actions: [] }, called: 'workflow', list: 'actions', kept: 'workflow-' },
};

/** What people call a document of this kind. */
export const calledOf = ({ kind }: Pick<TextDocument, 'kind'>): string => SOUGHT[kind].called;

/** The same with its article. */
export const calledThe = (document: Pick<TextDocument, 'kind'>): string => `the ${calledOf(document)}`;
