import { useReactFlow } from '@xyflow/react';
import { lazy, type ReactNode, type RefObject, Suspense, useState } from 'react';
import { Loading } from '../parts/empty.tsx';
import { Problem } from '../parts/problem.tsx';
import { ChangeList } from './changes.tsx';
import type { Drawn } from './chart/drawn.ts';
import { OverDraft, type OverDraftProps } from './dialogs/over-draft.tsx';
import { useDraft } from './draft.ts';
import { focusField } from './forms/form.tsx';
import { Heading, type HeadingProps, type Origin } from './heading.tsx';
import { type Command, useKeys, type Views } from './keys.ts';
import { Left } from './left.tsx';
import { Newer } from './newer.tsx';
import { ProblemList } from './problems.tsx';

const YamlEditor = lazy(() => import('./yaml/yaml-editor.tsx'));

interface WorkbenchProps<S, V extends Views> extends OverDraftProps {
  origin: Origin;
  root: RefObject<HTMLDivElement | null>;
  className?: string;
  heading: Omit<HeadingProps, keyof Origin | 'isYamlShown' | 'onYaml'>;
  store: { getState: () => S };
  commands: readonly Command<S, V>[];
  /** What the page can do with views of its own. */
  more: Omit<V, keyof Views>;
  chart: Drawn;
  outline: ReactNode;
  /** The picture of it. */
  picture: ReactNode;
  inspector: ReactNode;
  /** In front of the panes. */
  children?: ReactNode;
  /** What can stand in the YAML behind a colon or a dash. */
  names: () => Iterable<string>;
  onCreate?: Parameters<typeof ProblemList>[0]['onCreate'];
  /** Somebody else saved it: what exists besides is read again. */
  readAgain?: () => Promise<void>;
  close: () => void;
}

/** Outline, picture, settings and text of one draft, with its tools, its keys and its dialogs. */
export function Workbench<S extends { refusals: readonly string[] }, V extends Views>({
  origin,
  root,
  className = '',
  heading,
  store,
  commands,
  more,
  chart,
  outline,
  picture,
  inspector,
  children,
  names,
  onCreate,
  readAgain,
  ...over
}: WorkbenchProps<S, V>) {
  const flow = useReactFlow();
  const [isYamlShown, setYamlShown] = useState(false);
  const toggleYaml = () => setYamlShown((isShown) => !isShown);
  const readOnly = useDraft((state) => state.readOnly);
  const refusals = useDraft(({ refusals: all, dialog }) => (dialog === null ? all : NONE));
  useKeys(root, {
    commands,
    store,
    views: {
      ...more,
      toggleYaml,
      toInspector: () => void focusField(root.current?.querySelector<HTMLElement>('.inspector [data-field]')),
      fit: () => void flow.fitBounds({ x: 0, y: 0, width: chart.width, height: chart.height }, { padding: 0.05 }),
      zoomTo: (zoom: number) => void flow.zoomTo(zoom),
      zoom: (step: number) => void flow.zoomTo(flow.getZoom() * step),
    } as V,
  });
  return (
    <>
      <div className={`builder-frame ${className}`} ref={root}>
        <div className="builder">
          <Heading {...heading} {...origin} isYamlShown={isYamlShown} onYaml={toggleYaml} />
          {readOnly !== null && <p className="note">{readOnly}</p>}
          <Newer readAgain={readAgain} />
          <Left />
          {refusals.map((each) => (
            <Problem key={each}>{each}</Problem>
          ))}
          <ChangeList />
          {children}
          <div className="panes">
            {outline}
            <div className="middle">
              {picture}
              {isYamlShown && (
                <Suspense fallback={<Loading what="the editor" />}>
                  <YamlEditor names={names} />
                </Suspense>
              )}
              <ProblemList onCreate={onCreate} />
            </div>
            {inspector}
          </div>
          <Said />
        </div>
      </div>
      <OverDraft {...over} source={origin.source} commands={commands} />
    </>
  );
}

const NONE: readonly string[] = [];

/** The one place where each result is told: seen at the bottom, and spoken. */
function Said() {
  const { text, count: times } = useDraft(({ said }) => said);
  return (
    <p className="said" role="status" aria-live="polite">
      {/* Another element each time: the same words twice are spoken twice. */}
      <span key={times}>{text}</span>
    </p>
  );
}
