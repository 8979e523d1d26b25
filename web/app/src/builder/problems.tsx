import { CircleAlert, CircleCheck, TriangleAlert } from 'lucide-react';
import { createContext, type ReactNode, useContext, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { Button } from 'react-aria-components';
import { type Client, useClient } from 'urql';
import { Coded } from '../parts/coded.tsx';
import type { Kind } from '../../../../src/core/kinds/names.ts';
import { type Known, problemsOf, type ServerAnswer, type TextDocument, type TextProblem } from './document/index.ts';
import { useDraft, useDraftStore } from './draft.ts';

const PAUSE_MS = 400;

/** What the server would make of a draft. */
export type Checked = ServerAnswer & { diff?: string | null };
/** Asks the server about a text; undefined: it did not answer. */
export type Check = (client: Client, text: string) => Promise<Checked | undefined>;

const NONE: readonly TextProblem[] = [];

const ProblemsContext = createContext<{
  problems: readonly TextProblem[];
  byNode: ReadonlyMap<string | null, readonly TextProblem[]>;
  checked: Checked | undefined;
}>({ problems: NONE, byNode: new Map(), checked: undefined });
export const useProblems = (): readonly TextProblem[] => useContext(ProblemsContext).problems;
/** Those of a node, or of the flow itself. */
export const useProblemsAt = (node: string | null): readonly TextProblem[] =>
  useContext(ProblemsContext).byNode.get(node) ?? NONE;
/** What the server would make of the draft; undefined while it has not said. */
export const useChecked = (): Checked | undefined => useContext(ProblemsContext).checked;

interface ProblemsProps {
  check: Check;
  /** What exists besides, for the rules of the core: what it is changes the answer of the server, too. */
  known: Known | null;
  children: ReactNode;
}

/** What is wrong with the draft: by the rules of the core at once, and by the server a moment later. */
export function Problems({ check, known, children }: ProblemsProps) {
  // The chart comes first: in a flow of hundreds of steps, looking for problems takes longer than drawing.
  const document = useDeferredValue(useDraft(({ session }) => session.document));
  const checked = useServerCheck(document, check, known);
  const problems = useMemo(() => problemsOf(document, known, checked), [document, known, checked]);
  const value = useMemo(() => {
    const byNode = new Map<string | null, TextProblem[]>();
    for (const each of problems) byNode.set(each.at.node, [...(byNode.get(each.at.node) ?? []), each]);
    return { problems, byNode, checked };
  }, [problems, checked]);
  return <ProblemsContext value={value}>{children}</ProblemsContext>;
}

function useServerCheck({ text, isCurrent }: TextDocument, check: Check, known: Known | null): Checked | undefined {
  const client = useClient();
  const [answer, setAnswer] = useState<{ text: string; checked: Checked }>();
  useEffect(() => {
    if (!isCurrent) return undefined;
    const timer = setTimeout(() => {
      void check(client, text).then((checked) => checked && setAnswer({ text, checked }));
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [client, text, isCurrent, check, known]);
  // An answer to another text has other lines.
  return answer?.text === text ? answer.checked : undefined;
}

/** Everything that is wrong; a click leads to the node, the field and the line. */
export function ProblemList({ onCreate }: { onCreate?: (kind: Kind, name: string) => void }) {
  const problems = useProblems();
  const store = useDraftStore();
  // Everything is missing in a draft that nobody has begun: that is no news.
  const isBegun = useDraft(({ session: { base, past } }) => base.revision !== null || past.length > 0);
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
            {problem.unknown && onCreate && (
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

/** What is wrong with a node, or with the whole where it is null, beside the settings of it. */
export function ProblemsAt({ node }: { node: string | null }) {
  const store = useDraftStore();
  const problems = useProblemsAt(node);
  if (problems.length === 0) return null;
  return (
    <>
      <h3>Problems here</h3>
      <ul className="wrong-here">
        {problems.map(({ message, at, severity }) => (
          <li key={message} className={severity.toLowerCase()}>
            <Button className="link-button" onPress={() => store.getState().jump(at)}>
              <Coded>{message}</Coded>
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
