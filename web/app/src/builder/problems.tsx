import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react';
import { createContext, type ReactNode, useContext, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import { useClient } from 'urql';
import { CheckFlowDocument, type CheckFlowQuery } from '../generated/documents.ts';
import { Coded } from '../parts/coded.tsx';
import type { Kind } from '../../../../src/core/kinds/names.ts';
import { type FlowProblem, problemsOf } from './document/index.ts';
import { useBuilder, useBuilderStore, useDocument } from './state.ts';

const PAUSE_MS = 400;

export type Checked = CheckFlowQuery['promotionFlowCheck'];

const NONE: readonly FlowProblem[] = [];

const ProblemsContext = createContext<{
  problems: readonly FlowProblem[];
  byNode: ReadonlyMap<string | null, readonly FlowProblem[]>;
  checked: Checked | undefined;
}>({ problems: NONE, byNode: new Map(), checked: undefined });
export const useProblems = (): readonly FlowProblem[] => useContext(ProblemsContext).problems;
/** Those of a node, or of the flow itself. */
export const useProblemsAt = (node: string | null): readonly FlowProblem[] =>
  useContext(ProblemsContext).byNode.get(node) ?? NONE;
/** What the server would make of the draft; undefined while it has not said. */
export const useChecked = (): Checked | undefined => useContext(ProblemsContext).checked;

/** What is wrong with the draft: by the rules of the core at once, and by the server a moment later. */
export function Problems({ children }: { children: ReactNode }) {
  // The chart comes first: in a flow of hundreds of steps, looking for problems takes longer than drawing.
  const document = useDeferredValue(useDocument());
  const catalogue = useBuilder((state) => state.catalogue);
  const checked = useServerCheck(document.text, document.flow !== null && document.isCurrent);
  const problems = useMemo(() => problemsOf(document, catalogue, checked), [document, catalogue, checked]);
  const value = useMemo(() => {
    const byNode = new Map<string | null, FlowProblem[]>();
    for (const each of problems) byNode.set(each.at.node, [...(byNode.get(each.at.node) ?? []), each]);
    return { problems, byNode, checked };
  }, [problems, checked]);
  return <ProblemsContext value={value}>{children}</ProblemsContext>;
}

function useServerCheck(text: string, isFlow: boolean): Checked | undefined {
  const client = useClient();
  const catalogue = useBuilder((state) => state.catalogue);
  const [answer, setAnswer] = useState<{ text: string; checked: Checked }>();
  useEffect(() => {
    if (!isFlow) return undefined;
    const timer = setTimeout(() => {
      void client
        .query(CheckFlowDocument, { draft: { manifest: text } }, { requestPolicy: 'network-only' })
        .toPromise()
        .then(({ data }) => data && setAnswer({ text, checked: data.promotionFlowCheck }));
    }, PAUSE_MS);
    return () => clearTimeout(timer);
    // What exists now changes the answer, too.
  }, [client, text, isFlow, catalogue]);
  // An answer to another text has other lines.
  return answer?.text === text ? answer.checked : undefined;
}

/** Everything that is wrong; a click leads to the node, the field and the line. */
export function ProblemList({ onCreate }: { onCreate: (kind: Kind, name: string) => void }) {
  const problems = useProblems();
  const store = useBuilderStore();
  // Everything is missing in a flow that nobody has begun: that is no news.
  const isBegun = useBuilder(({ session: { base, past } }) => base.revision !== null || past.length > 0);
  if (!isBegun) return <p className="problem-list hint">What is wrong is listed here while you build.</p>;
  if (problems.length === 0) {
    return (
      <p className="problem-list none">
        <CircleCheck size={16} aria-hidden />
        Nothing is wrong.
      </p>
    );
  }
  return (
    <section className="problem-list" aria-label={`Problems (${problems.length})`}>
      <ul>
        {problems.map((problem, index) => (
          <li key={`${index} ${problem.message}`} className={problem.severity.toLowerCase()}>
            {problem.severity === 'ERROR' ? (
              <CircleAlert size={16} aria-label="Error" />
            ) : (
              <TriangleAlert size={16} aria-label="Warning" />
            )}
            <Button className="link-button" onPress={() => store.getState().jump(problem.at)}>
              <Coded>{problem.message}</Coded>
            </Button>
            <small className="numbers">line {problem.line}</small>
            {problem.unknown && (
              <Button className="button small" onPress={() => onCreate(problem.unknown!.kind, problem.unknown!.name)}>
                Create {problem.unknown.name}
              </Button>
            )}
          </li>
        ))}
      </ul>
    </section>
  );
}
