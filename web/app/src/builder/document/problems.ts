import { checkFlow } from '../../../../../src/core/flow.ts';
import { promotionFlow } from '../../../../../src/core/kinds/promotion-flow.ts';
import { referencesIn } from '../../../../../src/core/kinds/walk.ts';
import { checkDefinition } from '../../../../../src/core/validate.ts';
import { problemAt } from './places.ts';
import { readingOf, type FlowDefinition, type WorkflowDefinition } from './reading.ts';
import type { Known, Path, TextDocument, TextProblem } from './types.ts';

/** What `promotionFlowCheck` or `manifestsCheck` answers to the text of the draft. */
export interface ServerAnswer {
  userErrors: readonly ServerProblem[];
  warnings: readonly ServerProblem[];
}

interface ServerProblem {
  message: string;
  /** In the flow; places in lists as texts, as the API has them. */
  flowPath?: readonly string[] | null;
  manifestPath?: readonly string[] | null;
}

/**
 * All that is wrong with a document and all that is doubtful, each with its places: what the text lacks, what the core finds with what is
 * `known` here of what flows name, and what the server finds besides, which knows more. `answer` has to be that to this very text.
 */
export function problemsOf(document: TextDocument, known: Known | null, answer?: ServerAnswer): TextProblem[] {
  const reading = document.isCurrent ? readingOf(document) : undefined;
  const all = new Map<string, TextProblem>();
  const add = (problem: TextProblem): void => {
    const key = `${problem.path.join('\0')}\n${problem.message}`;
    if (!all.has(key)) all.set(key, problem);
  };
  document.faults.forEach(add);
  // What is missing is said once: the core would say that the empty name does not exist.
  const missing = (path: Path): boolean => document.faults.length > 0 && valueAt(reading?.definition, path) === '';
  if (reading) {
    const { definition } = reading;
    const { refusals, warnings, references } = ofFlow(definition, known);
    for (const { code, message, path } of [...checkDefinition(definition), ...refusals]) {
      if (missing(path)) continue;
      const unknown = code === 'UNKNOWN_REFERENCE' ? (references.get(path.join('\0')) ?? null) : null;
      add(problemAt(document, { severity: 'ERROR', message, path, unknown }));
    }
    for (const { message, path } of warnings) add(problemAt(document, { severity: 'WARNING', message, path }));
  }
  for (const [severity, problems] of [
    ['ERROR', answer?.userErrors ?? []],
    ['WARNING', answer?.warnings ?? []],
  ] as const) {
    for (const { message, flowPath, manifestPath } of problems) {
      const path = pathFrom(flowPath ?? manifestPath ?? []);
      if (!missing(path)) add(problemAt(document, { severity, message, path }));
    }
  }
  return [...all.values()];
}

/** What the core finds in a flow besides, and the names in it. Of what a workflow names, only the server knows what exists. */
function ofFlow(definition: FlowDefinition | WorkflowDefinition, known: Known | null) {
  const isFlow = definition.kind === 'PromotionFlow';
  const named = isFlow ? referencesIn(promotionFlow, definition.spec) : [];
  const references = new Map(named.map(({ kind, name, path }) => [path.join('\0'), { kind, name }]));
  if (!isFlow || !known) return { refusals: [], warnings: [], references };
  return { ...checkFlow(definition.spec, known), references };
}

const pathFrom = (path: readonly string[]): Path => path.map((each) => (/^\d+$/.test(each) ? Number(each) : each));

const valueAt = (root: unknown, path: Path): unknown =>
  path.reduce<unknown>((value, key) => (value as Record<string | number, unknown> | null | undefined)?.[key], root);
