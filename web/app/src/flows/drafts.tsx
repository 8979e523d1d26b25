import { Link } from '@tanstack/react-router';
import { useEffect, useState } from 'react';
import { keptDrafts, type KeptDraft } from '../builder/keep.ts';
import { usePerson } from '../frame/viewer.ts';
import { When } from '../parts/time.tsx';

/** What the viewer has begun in this browser and not saved. Nothing is shown where there is none. */
export default function Drafts() {
  const person = usePerson();
  const [drafts, setDrafts] = useState<readonly KeptDraft[]>([]);
  useEffect(() => {
    if (person !== undefined) void keptDrafts('PromotionFlow', person).then(setDrafts);
  }, [person]);
  if (drafts.length === 0) return null;
  return (
    <section className="note drafts" aria-label="Your drafts in this browser">
      Not saved yet, and kept in this browser:
      <ul className="changes">
        {drafts.map(({ name: flow, base, at }) => (
          <li key={`${flow} ${base.revision}`}>
            <DraftLink flow={flow} revision={base.revision} /> <When at={new Date(at).toISOString()} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A draft of a new flow is kept under what it was begun with. */
function DraftLink({ flow, revision }: { flow: string; revision: number | null }) {
  const [, from] = /^new flow like (.*)$/.exec(flow) ?? [];
  if (revision === null && (flow === 'new flow' || from !== undefined)) {
    return (
      <Link to="/flows/new" search={{ from }}>
        {from === undefined ? 'a new flow' : `a new flow like ${from}`}
      </Link>
    );
  }
  return (
    <Link to="/flows/$name" params={{ name: flow }}>
      {flow}
    </Link>
  );
}
