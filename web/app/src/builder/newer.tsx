import { useEffect } from 'react';
import { Button } from 'react-aria-components';
import { follow } from '../api/live.ts';
import { FlowSavesDocument } from '../generated/documents.ts';
import { When } from '../parts/time.tsx';
import { mergeInto, resolveConflict } from './document/index.ts';
import { useBuilder, useBuilderStore } from './state.ts';

/** Hears when somebody saves the flow. */
function useSaves(): void {
  const store = useBuilderStore();
  const name = useBuilder(({ session, newest }) =>
    newest.revision === null ? undefined : session.document.flow?.name,
  );
  useEffect(() => {
    if (name === undefined) return undefined;
    let cursor: string | undefined;
    return follow({
      document: FlowSavesDocument,
      variables: () => ({ names: [name], after: cursor }),
      onData: ({ definitionEvents: { cursor: at, revision, definition, by, at: when } }) => {
        cursor = at;
        if (!definition || revision <= (store.getState().newest.revision ?? 0)) return;
        store.setState({ newest: { revision, text: definition.manifest, by: by ?? null, at: when } });
      },
    });
  }, [name, store]);
}

/** Somebody else saved: said where one works, without taking anything away. */
export function Newer() {
  useSaves();
  const store = useBuilderStore();
  const newest = useBuilder((state) => state.newest);
  const base = useBuilder(({ session }) => session.base);
  const conflicts = useBuilder(({ session }) => session.conflicts);
  const isNewer = (newest.revision ?? 0) > (base.revision ?? 0) && base.revision !== null;
  return (
    <>
      {isNewer && (
        <div className="note newer" role="status">
          <span>
            {newest.by ?? 'Somebody else'} saved revision {newest.revision} {newest.at && <When at={newest.at} />}; this
            draft began with revision {base.revision}.
          </span>
          <Button
            className="button small"
            onPress={() => {
              const { session, said } = mergeInto(store.getState().session, {
                revision: newest.revision,
                text: newest.text,
              });
              store.getState().put(session, said);
            }}
          >
            Merge it into the draft
          </Button>
        </div>
      )}
      {conflicts.length > 0 && (
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
      )}
    </>
  );
}
