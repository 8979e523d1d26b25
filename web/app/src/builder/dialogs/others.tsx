import { useState } from 'react';
import { Button } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { RestoreRevisionDocument, RevisionsDocument } from '../../generated/documents.ts';
import { Copy } from '../../parts/copy.tsx';
import { Empty, Loading } from '../../parts/empty.tsx';
import { Problem, QueryProblem } from '../../parts/problem.tsx';
import { When } from '../../parts/time.tsx';
import { Diff } from '../diff.tsx';
import { calledOf, goOnFrom, nameIn } from '../document/index.ts';
import { savedText, useDraft, useDraftStore } from '../draft.ts';
import { savedName } from '../keep.ts';
import { Over } from './sheet.tsx';

/** What was typed since the last save goes, in all tabs. */
export function Discard({ close, onDiscard }: { close: () => void; onDiscard: () => Promise<void> }) {
  const { revision } = useDraft((state) => state.newest);
  const called = useDraft(({ session }) => calledOf(session.document));
  return (
    <Over title="Discard the draft" onClose={close}>
      <p>
        {revision === null
          ? `The ${called} was never saved: nothing of it is left, in any tab.`
          : `The draft goes in every tab, and revision ${revision} is shown again.`}{' '}
        Nothing undoes that.
      </p>
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button danger" autoFocus onPress={() => void onDiscard().then(close)}>
          Discard
        </Button>
      </div>
    </Over>
  );
}

/** Every revision with its author and what it changed; an old one can be the newest again, or the draft. */
export function Revisions({ close, mayRestore }: { close: () => void; mayRestore: boolean }) {
  const store = useDraftStore();
  const client = useClient();
  const kind = useDraft(({ session }) => session.document.kind);
  const base = useDraft(({ session }) => session.base);
  const name = savedName(kind, base) ?? '';
  const type = useDraft((state) => state.type);
  const isReadOnly = useDraft(({ readOnly }) => readOnly !== null);
  const [{ data, error }] = useQuery({
    query: RevisionsDocument,
    variables: { kind, name, first: 20 },
    requestPolicy: 'network-only',
  });
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const restore = async (revision: number): Promise<void> => {
    const input = { kind, name, revision, expectedRevision: base.revision ?? 0 };
    const answer = await client.mutation(RestoreRevisionDocument, { input }).toPromise();
    const wrong = answer.error
      ? [wordsOf(answer.error)]
      : answer.data!.payload.userErrors.map(({ message }) => message);
    setRefusals(wrong);
    const restored = answer.data?.payload.definition;
    if (wrong.length > 0 || !restored) return;
    const { revision: now, updatedAt: at } = restored;
    const text = savedText(restored);
    const { session, put } = store.getState();
    store.setState({ newest: { revision: now, text, by: null, at } });
    // What was not saved is one step of undo away.
    const words = `revision ${revision} is restored as revision ${now}`;
    put(goOnFrom(session, { revision: now, text }, words), words);
    close();
  };
  const nodes = data?.definitionRevisions.nodes;
  return (
    <Over title={`Revisions of ${name}`} wide onClose={close}>
      <QueryProblem error={error} />
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      {nodes === undefined ? (
        !error && <Loading what="the revisions" />
      ) : nodes.length === 0 ? (
        <Empty title="It was never saved." />
      ) : (
        <ul className="revisions">
          {nodes.map(({ revision, at, by, diff, manifest, text, isDeletion }) => (
            <li key={revision}>
              <div className="actions">
                <strong>
                  Revision {revision}
                  {isDeletion && ': deleted'}
                </strong>
                <span>
                  <When at={at} /> {by && `by ${by}`}
                </span>
                {manifest !== null && manifest !== undefined && !isReadOnly && revision !== base.revision && (
                  <>
                    {mayRestore && (
                      <Button className="button small" onPress={() => void restore(revision)}>
                        Restore {revision}
                      </Button>
                    )}
                    <Button
                      className="button small"
                      onPress={() => {
                        type(savedText({ text, manifest }));
                        close();
                      }}
                    >
                      Take {revision} as the draft
                    </Button>
                  </>
                )}
              </div>
              {diff && (
                <details>
                  <summary>What it changed</summary>
                  <Diff text={diff} label={`What revision ${revision} changed`} />
                </details>
              )}
            </li>
          ))}
        </ul>
      )}
      <div className="actions">
        <Button className="button" onPress={close}>
          Close
        </Button>
      </div>
    </Over>
  );
}

/** The draft for other places: a file, a call of the API, a command. */
export function Export({ close }: { close: () => void }) {
  const document = useDraft(({ session }) => session.document);
  const { text } = document;
  const name = nameIn(document) || calledOf(document);
  const forms = [
    { called: 'YAML', content: text },
    { called: 'GraphQL mutation', content: mutationOf(text) },
    { called: 'CLI command', content: `sluice apply -f - <<'EOF'\n${text.replace(/\n*$/, '\n')}EOF\n` },
  ];
  return (
    <Over title="Take it with you" wide onClose={close}>
      {forms.map(({ called, content }) => (
        <section key={called}>
          <h3>{called}</h3>
          <pre className="diff" tabIndex={0} role="region" aria-label={called}>
            {content}
          </pre>
          <Copy label={`Copy ${called}`} text={content} isSmall />
        </section>
      ))}
      <div className="actions">
        <Button className="button" onPress={() => download(`${name}.yaml`, text)}>
          Download {name}.yaml
        </Button>
        <Button className="button" onPress={close}>
          Close
        </Button>
      </div>
    </Over>
  );
}

const mutationOf = (text: string): string =>
  `mutation {\n  manifestsApply(input: { text: ${JSON.stringify(text)} }) {\n    changes { kind name change revision }\n    userErrors { message path }\n  }\n}\n`;

function download(name: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type: 'application/yaml' }));
  const link = Object.assign(window.document.createElement('a'), { href: address, download: name });
  link.click();
  URL.revokeObjectURL(address);
}
