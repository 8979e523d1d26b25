import { useEffect, useRef, useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { ApplyManifestsDocument, FlowToEditDocument, ProposeFlowDocument } from '../../generated/documents.ts';
import { Away } from '../../parts/away.tsx';
import { Coded } from '../../parts/coded.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useChecked, useProblems } from '../problems.tsx';
import type { Base } from '../document/index.ts';
import { savedName, savedText, useBuilder, useBuilderStore, useDocument } from '../state.ts';
import { Diff } from '../diff.tsx';
import { Over } from './sheet.tsx';

/** What a save came to: the name, and why not where it was refused. */
export interface SaveAnswer {
  refusals: readonly string[];
  /** Somebody else saved it in between. */
  isConflict?: boolean;
}

/** This text is saved under this name. */
export type OnSaved = (name: string, saved: Base) => Promise<void>;

/** Saves the draft as it is, against the revision that it was made from. */
export function useSave(onSaved: OnSaved): () => Promise<SaveAnswer> {
  const client = useClient();
  const store = useBuilderStore();
  /** The page hears of it by itself as well, a moment later. */
  const readNewest = async (name: string): Promise<void> => {
    const { data } = await client.query(FlowToEditDocument, { name }, { requestPolicy: 'network-only' }).toPromise();
    const found = data?.promotionFlow;
    if (!found || found.revision <= (store.getState().newest.revision ?? 0)) return;
    const { revision, revisions, updatedAt: at } = found;
    store.setState({ newest: { revision, text: savedText(found), by: revisions.nodes[0]?.by ?? null, at } });
  };
  const save = async (): Promise<SaveAnswer> => {
    const { session } = store.getState();
    const { text, flow } = session.document;
    if (!flow) return { refusals: ['The text is no flow yet.'] };
    const called = savedName(session.base);
    if (called !== undefined && called !== flow.name)
      return {
        refusals: [
          `The text calls the flow ${flow.name}, and this is ${called}: undo that, or duplicate ${called} for another flow.`,
        ],
      };
    const expectedRevisions = [
      { kind: 'PromotionFlow' as const, name: flow.name, revision: session.base.revision ?? 0 },
    ];
    const { data, error } = await client
      .mutation(
        ApplyManifestsDocument,
        { input: { text, expectedRevisions } },
        { additionalTypenames: ['PromotionFlow'] },
      )
      .toPromise();
    if (error) return { refusals: [wordsOf(error)] };
    const { changes, userErrors } = data!.payload;
    if (userErrors.length > 0) {
      const isConflict = userErrors.some(({ code }) => code === 'CONFLICT');
      if (isConflict) await readNewest(flow.name);
      return { refusals: userErrors.map(({ message }) => message), isConflict };
    }
    const revision = changes.find(({ kind, name }) => kind === 'PromotionFlow' && name === flow.name)?.revision;
    if (revision == null) return { refusals: [`The server did not say as which revision ${flow.name} is saved.`] };
    store.setState({ newest: { revision, text, by: null, at: new Date().toISOString() } });
    await onSaved(flow.name, { revision, text });
    // What was typed while it was on its way stays a draft of what is saved now.
    const { session: now, put } = store.getState();
    put({ ...now, base: { revision, text }, conflicts: [] }, `${flow.name} saved as revision ${revision}`);
    return { refusals: [] };
  };
  return async () => {
    store.setState({ isSaving: true });
    return save().finally(() => store.setState({ isSaving: false }));
  };
}

const SAVED_BETWEEN = 'It is not saved: somebody else saved the flow in between. Merge that into the draft, then save.';

/** Shows what changes and what that means, and saves it. */
export function Save({
  close,
  onSaved,
  onShown,
}: {
  close: () => void;
  onSaved: OnSaved;
  onShown: (name: string) => void;
}) {
  const { flow } = useDocument();
  const store = useBuilderStore();
  const base = useBuilder(({ session }) => session.base);
  const edit = useBuilder((state) => state.edit);
  const errors = useProblems().filter(({ severity }) => severity === 'ERROR');
  const checked = useChecked();
  const save = useSave(onSaved);
  const [name, setName] = useState(flow?.name ?? '');
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const isNew = base.revision === null;
  const confirm = async (): Promise<void> => {
    if (name.trim() !== flow?.name && !edit({ type: 'renameFlow', to: name.trim() })) return;
    setBusy(true);
    const answer = await save();
    setBusy(false);
    const { newest, session } = store.getState();
    if (answer.isConflict && (newest.revision ?? 0) > (session.base.revision ?? 0)) {
      // What the other one saved stands above the draft, with the way to merge it.
      close();
      store.setState({ newest: { ...newest, isInTheWay: true } });
      store.getState().say(SAVED_BETWEEN);
      return;
    }
    setRefusals(answer.refusals);
    if (answer.refusals.length > 0) return;
    close();
    onShown(name.trim());
  };
  return (
    <Over title={isNew ? 'Save the new flow' : `Save ${flow?.name}`} wide onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        {isNew && (
          <TextField className="field" value={name} onChange={setName} isRequired autoFocus>
            <Label>Name of the flow</Label>
            <Input />
          </TextField>
        )}
        {errors.length > 0 && (
          <div className="note" role="status">
            It cannot be saved like this:
            <ul>
              {errors.map(({ message }) => (
                <li key={message}>
                  <Coded>{message}</Coded>
                </li>
              ))}
            </ul>
          </div>
        )}
        {checked?.warnings.map(({ message }) => (
          <p className="note" key={message}>
            <Coded>{message}</Coded>
          </p>
        ))}
        {checked?.diff ? (
          <Diff text={checked.diff} label="What changes" />
        ) : (
          <p className="hint">{checked ? 'Nothing changes.' : 'Asking the server what changes …'}</p>
        )}
        <p className="hint">
          Releases on their way keep the flow with which they began. The next release takes this one.
        </p>
        {refusals.map((each) => (
          <Problem key={each}>{each}</Problem>
        ))}
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isPending={busy} autoFocus={!isNew}>
            Save flow
          </Button>
        </div>
      </Form>
    </Over>
  );
}

/** What comes from a repository is changed there: by a pull request. */
export function Propose({ source, close }: { source: string; close: () => void }) {
  const client = useClient();
  const { flow, text } = useDocument();
  const checked = useChecked();
  const [title, setTitle] = useState(`Change the flow ${flow?.name}`);
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [opened, setOpened] = useState<{ url: string; number: number; diff: string }>();
  const [busy, setBusy] = useState(false);
  const propose = async (): Promise<void> => {
    setBusy(true);
    const { data, error } = await client
      .mutation(ProposeFlowDocument, { input: { text, title: title.trim() } })
      .toPromise();
    setBusy(false);
    setRefusals(error ? [wordsOf(error)] : data!.payload.userErrors.map(({ message }) => message));
    const proposal = data?.payload.proposal;
    if (proposal) setOpened(proposal);
  };
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => link.current?.focus(), [opened]);
  return (
    <Over title={`Propose a change to ${source}`} wide onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void propose();
        }}
      >
        <p>
          The flow comes from the repository of the git source {source}. The change goes there as a pull request;
          nothing changes here before it is merged.
        </p>
        <TextField className="field" value={title} onChange={setTitle} isRequired autoFocus>
          <Label>Title of the pull request</Label>
          <Input />
        </TextField>
        {!opened && checked?.diff && <Diff text={checked.diff} label="What changes" />}
        {refusals.map((each) => (
          <Problem key={each}>{each}</Problem>
        ))}
        {opened && (
          <>
            <p className="note" role="status">
              The change is proposed:{' '}
              <Away ref={link} to={opened.url}>
                pull request {opened.number}
              </Away>
              . The draft stays here until it is merged.
            </p>
            <Diff text={opened.diff} label="What changes in the repository" />
          </>
        )}
        <div className="actions">
          <Button className="button" onPress={close}>
            {opened ? 'Close' : 'Cancel'}
          </Button>
          {!opened && (
            <Button className="button primary" type="submit" isPending={busy}>
              Open a pull request
            </Button>
          )}
        </div>
      </Form>
    </Over>
  );
}
