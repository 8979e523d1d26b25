import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import type { DraftKind } from '../builder/document/index.ts';
import { followKeptDrafts, type KeptDraft } from '../builder/keep.ts';
import { usePerson } from '../frame/viewer.ts';
import { When } from '../parts/time.tsx';

/** What the viewer has begun in this browser and not saved. Nothing is shown where there is none. */
export default function Drafts({ kind }: { kind: DraftKind }) {
  const person = usePerson();
  const [drafts, setDrafts] = useState<readonly KeptDraft[]>([]);
  useEffect(() => (person === undefined ? undefined : followKeptDrafts(kind, person, setDrafts)), [kind, person]);
  const DraftLink = kind === 'PromotionFlow' ? FlowLink : WorkflowLink;
  if (drafts.length === 0) return null;
  return (
    <section className="note drafts" aria-label="Your drafts in this browser">
      Not saved yet, and kept in this browser:
      <ul className="changes">
        {drafts.map(({ name, base, at }) => (
          <li key={`${name} ${base.revision}`}>
            <DraftLink name={name} isNew={base.revision === null} /> <When at={new Date(at).toISOString()} />
          </li>
        ))}
      </ul>
    </section>
  );
}

interface LinkProps {
  name: string;
  /** It was never saved. */
  isNew: boolean;
}

/** A draft of a new flow is kept under what it was begun with. */
function FlowLink({ name, isNew }: LinkProps) {
  const [, from] = /^new flow like (.*)$/.exec(name) ?? [];
  if (isNew && (name === 'new flow' || from !== undefined)) {
    return (
      <Link to="/flows/new" search={{ from }}>
        {from === undefined ? 'a new flow' : `a new flow like ${from}`}
      </Link>
    );
  }
  return (
    <Link to="/flows/$name" params={{ name }}>
      {name}
    </Link>
  );
}

/** One that was begun over the draft of a flow has the name by which the flow calls it. */
function WorkflowLink({ name, isNew }: LinkProps) {
  const [, begin] = /^new (.*)$/.exec(name) ?? [];
  if (isNew && begin !== undefined) {
    return (
      <Link to="/workflows/new" search={{ begin }}>
        {begin === 'new-workflow' ? 'a new workflow' : `a new workflow, ${begin}`}
      </Link>
    );
  }
  return (
    <Link to="/workflows/$name" params={{ name }}>
      {name}
    </Link>
  );
}
