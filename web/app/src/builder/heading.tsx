import {
  Diff,
  FileCode,
  GitPullRequestCreate,
  History,
  Keyboard,
  Redo2,
  Save as SaveIcon,
  Share,
  Undo2,
} from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, Toolbar } from 'react-aria-components';
import { When } from '../parts/time.tsx';
import { count } from '../parts/words.ts';
import { countChanges } from './document/index.ts';
import { NOT_KEPT } from './document/leaving.ts';
import { useDraft, useDraftStore } from './draft.ts';

/** The git source that a definition comes from, and the file there. */
export interface Source {
  source: string;
  file: string;
}

/** How a draft goes where it is saved. */
export interface Origin {
  /** Null: it is saved here. */
  source: Source | null;
  /** It is changed by pull requests, and the viewer can open one. */
  mayPropose: boolean;
}

export interface HeadingProps extends Origin {
  /** Of the tools. */
  label: string;
  /** In front of all of it. */
  title?: ReactNode;
  /** What it can do besides, behind undo and redo. */
  signs?: ReactNode;
  /** What it can do besides, behind the differences. */
  tools?: ReactNode;
  /** What it can do besides, in front of saving. */
  children?: ReactNode;
  save: string;
  isYamlShown: boolean;
  onYaml: () => void;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });

/** What is under way, and what can be done with all of it. */
export function Heading({
  label,
  title,
  signs,
  tools,
  children,
  save,
  source,
  mayPropose,
  isYamlShown,
  onYaml,
}: HeadingProps) {
  const store = useDraftStore();
  const isSaved = useDraft(({ session }) => session.base.revision !== null);
  const changes = useDraft(({ session }) => countChanges(session));
  const canUndo = useDraft(({ session }) => session.past.length > 0);
  const canRedo = useDraft(({ session }) => session.future.length > 0);
  const readOnly = useDraft((state) => state.readOnly);
  const isDiffShown = useDraft((state) => state.isDiffShown);
  const { ask, undo, redo, toggleDiff } = store.getState();
  return (
    <div className="heading builder-heading">
      {title}
      <Where source={source} changes={changes} />
      <Toolbar aria-label={label} className="actions">
        <Button className="icon-button" aria-label="Undo" isDisabled={!canUndo} onPress={undo}>
          <Undo2 size={16} aria-hidden />
        </Button>
        <Button className="icon-button" aria-label="Redo" isDisabled={!canRedo} onPress={redo}>
          <Redo2 size={16} aria-hidden />
        </Button>
        {signs}
        <Button className="icon-button" aria-label="Keys" onPress={() => ask({ is: 'keys' })}>
          <Keyboard size={16} aria-hidden />
        </Button>
        <Button className="button" aria-pressed={isYamlShown} onPress={onYaml}>
          <FileCode size={16} aria-hidden />
          YAML
        </Button>
        <Button className="button" aria-pressed={isDiffShown} onPress={toggleDiff}>
          <Diff size={16} aria-hidden />
          Differences
        </Button>
        {tools}
        <Button className="button" onPress={() => ask({ is: 'export' })}>
          <Share size={16} aria-hidden />
          Export
        </Button>
        {isSaved && (
          <Button className="button" onPress={() => ask({ is: 'revisions' })}>
            <History size={16} aria-hidden />
            Revisions
          </Button>
        )}
        {changes > 0 && readOnly === null && (
          <Button className="button" onPress={() => ask({ is: 'discard' })}>
            Discard
          </Button>
        )}
        {children}
        {readOnly === null && (
          <Button className="button primary" onPress={() => ask({ is: 'save' })}>
            <SaveIcon size={16} aria-hidden />
            {source === null ? save : 'Propose'}
          </Button>
        )}
        {readOnly !== null && mayPropose && (
          <Button
            className="button primary"
            onPress={() => {
              store.setState({ readOnly: null });
              store.getState().say('What you change now is a proposal, and nothing changes here before it is merged');
            }}
          >
            <GitPullRequestCreate size={16} aria-hidden />
            Edit as a proposal
          </Button>
        )}
      </Toolbar>
    </div>
  );
}

/** Where the draft is, between what is saved and what is kept. */
function Where({ source, changes }: { source: Source | null; changes: number }) {
  const { revision } = useDraft(({ session }) => session.base);
  const newest = useDraft((state) => state.newest);
  const keptAt = useDraft((state) => state.keptAt);
  const isUnkept = useDraft((state) => state.isUnkept);
  return (
    <p className="draft-state">
      {revision === null
        ? 'Never saved'
        : changes === 0
          ? `Revision ${revision}`
          : `Draft, ${count(changes, 'change')} since revision ${revision}`}
      {newest.revision === revision && newest.by !== null && ` by ${newest.by}`}
      {newest.revision === revision && newest.at !== null && (
        <>
          , <When at={newest.at} />
        </>
      )}
      {changes > 0 && isUnkept && NOT_KEPT}
      {changes > 0 && !isUnkept && keptAt !== null && `, kept here ${CLOCK.format(keptAt)}`}
      {source !== null && `, from the git source ${source.source}`}
    </p>
  );
}
