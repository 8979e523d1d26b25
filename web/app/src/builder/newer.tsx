import { useDeferredValue, useEffect, useMemo } from 'react';
import { Button } from 'react-aria-components';
import { useDefinitionChanges } from '../api/changes.ts';
import { When } from '../parts/time.tsx';
import { calledOf, isDirty, mergeInto, resolveConflict, type DraftKind, type Side, sidesOf } from './document/index.ts';
import { useDraft, useDraftStore } from './draft.ts';
import { savedName } from './keep.ts';
import { useReadNewest } from './read-newest.ts';

/** Hears when somebody saves the definition, or deletes it. */
function Saves({ kind, name }: { kind: DraftKind; name: string }) {
  const readNewest = useReadNewest();
  useDefinitionChanges([kind], [() => void readNewest(kind, name)], [name]);
  return null;
}

/** Somebody else saved: said where one works, without taking anything away. */
export function Newer({ readAgain }: { readAgain?: () => Promise<void> }) {
  const newest = useDraft((state) => state.newest);
  const kind = useDraft(({ session }) => session.document.kind);
  const base = useDraft(({ session }) => session.base);
  // The text may call it something else by now.
  const name = useMemo(() => savedName(kind, base), [kind, base]);
  const isSaving = useDraft((state) => state.isSaving);
  const isOurs = newest.revision === base.revision;
  useEffect(() => {
    // Who saves it has made what it needs, most likely.
    if (!isOurs) void readAgain?.();
  }, [isOurs, newest.revision, readAgain]);
  const isNewer = !isSaving && (newest.revision ?? 0) > (base.revision ?? 0) && base.revision !== null;
  return (
    <>
      {name !== undefined && <Saves kind={kind} name={name} />}
      {isNewer && (newest.text === null ? <Deleted /> : <Saved text={newest.text} />)}
      <Conflicts />
    </>
  );
}

function Saved({ text }: { text: string }) {
  const store = useDraftStore();
  const { revision, by, at, isInTheWay } = useDraft((state) => state.newest);
  const session = useDraft((state) => state.session);
  const isChanged = isDirty(session);
  const { base, document } = session;
  const latest = useDeferredValue(document);
  const sides = useMemo(() => sidesOf({ base, document: latest }, { text }), [base, latest, text]);
  const who = by ?? 'Somebody else';
  return (
    <section className="note newer" aria-label="A newer revision">
      <p role="status">
        {isInTheWay && <strong>It is not saved. </strong>}
        {who} saved revision {revision} {at && <When at={at} />}; this {isChanged ? 'draft began with' : 'is'} revision{' '}
        {base.revision}.{isChanged && ' Nothing of yours is lost.'}
      </p>
      <Button
        className="button small"
        onPress={() => {
          const merged = mergeInto(store.getState().session, { revision, text });
          store.getState().put(merged.session, merged.said);
        }}
      >
        {isChanged ? 'Merge it into the draft' : `Show revision ${revision}`}
      </Button>
      {sides !== null && sides.length > 0 && (
        <Sides sides={sides} who={who} isChanged={isChanged} kind={session.document.kind} />
      )}
    </section>
  );
}

/** What each side changed, by step and setting, with what it was before. */
function Sides({
  sides,
  who,
  isChanged,
  kind,
}: {
  sides: readonly Side[];
  who: string;
  isChanged: boolean;
  kind: DraftKind;
}) {
  const part = kind === 'PromotionFlow' ? 'step' : 'action';
  const label = `What changed, ${part} by ${part}`;
  return (
    <details className="sides">
      <summary>{label}</summary>
      <div className="sides-frame" tabIndex={0} role="region" aria-label={label}>
        <div className="list-box">
          <table className="list">
            <thead>
              <tr>
                <th scope="col">{`${part === 'step' ? 'Step' : 'Action'} and setting`}</th>
                <th scope="col">Before</th>
                <th scope="col">{who}</th>
                {isChanged && <th scope="col">You</th>}
              </tr>
            </thead>
            <tbody>
              {sides.map(({ step, field, base, theirs, mine, isBoth }) => (
                <tr key={`${step} ${field}`} className={isBoth ? 'conflict' : ''}>
                  <th scope="row">
                    {step ?? `The ${calledOf({ kind })}`}
                    {field !== '' && <small className="mono">{field}</small>}
                    {isBoth && <small>changed by both: yours stays until you decide</small>}
                  </th>
                  <td data-side="Before">
                    <Value text={base} />
                  </td>
                  <td data-side={who} className={theirs === base ? 'same' : ''}>
                    <Value text={theirs} />
                  </td>
                  {isChanged && (
                    <td data-side="You" className={mine === base ? 'same' : ''}>
                      <Value text={mine} />
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </div>
    </details>
  );
}

const Value = ({ text }: { text: string | null }) =>
  text === null ? <span className="hint">is not there</span> : <code className="side">{text}</code>;

/** What was saved is gone, and the draft is not. */
function Deleted() {
  const store = useDraftStore();
  const { by, at } = useDraft((state) => state.newest);
  const called = useDraft(({ session }) => calledOf(session.document));
  return (
    <section className="note newer" aria-label={`The ${called} was deleted`}>
      <p role="status">
        {by ?? 'Somebody else'} deleted this {called}
        {at && (
          <>
            {' '}
            <When at={at} />
          </>
        )}
        . It stays here as you see it.
      </p>
      <Button
        className="button small"
        onPress={() => {
          const { session, newest, put } = store.getState();
          const { text } = session.base;
          store.setState({ newest: { ...newest, revision: null, text } });
          put(
            { ...session, base: { revision: null, text } },
            `It is a new ${called} from here on: save it to have it again`,
          );
        }}
      >
        Keep it as a new {called}
      </Button>
    </section>
  );
}

/** What a merge could not decide. Mine stands in the text until a person says otherwise. */
function Conflicts() {
  const store = useDraftStore();
  const conflicts = useDraft(({ session }) => session.conflicts);
  if (conflicts.length === 0) return null;
  return (
    <section className="note" aria-label="Conflicts">
      <ul className="changes">
        {conflicts.map((conflict) => (
          <li key={conflict.message} className="conflict">
            <span>{conflict.message}</span>
            {(['MINE', 'THEIRS'] as const).map((side) => (
              <Button
                key={side}
                className="button small"
                onPress={() => {
                  const { session, said } = resolveConflict(store.getState().session, conflict, side);
                  store.getState().put(session, said);
                }}
              >
                {side === 'MINE' ? 'Keep mine' : 'Take theirs'}
              </Button>
            ))}
          </li>
        ))}
      </ul>
    </section>
  );
}
