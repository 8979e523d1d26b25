import { useEffect, useRef, useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { now as clock } from '../../api/clock.ts';
import { ApplyManifestsDocument, ProposeChangeDocument } from '../../generated/documents.ts';
import { Away } from '../../parts/away.tsx';
import { Coded } from '../../parts/coded.tsx';
import { Problem } from '../../parts/problem.tsx';
import { useChecked, useProblems } from '../problems.tsx';
import { type Base, calledOf, diffOf, nameIn } from '../document/index.ts';
import { useDraft, useDraftStore } from '../draft.ts';
import { savedName } from '../keep.ts';
import { useReadNewest } from '../read-newest.ts';
import { Diff } from '../diff.tsx';
import { Over } from './sheet.tsx';

/** What a save came to: the name, and why not where it was refused. */
export interface SaveAnswer {
  refusals: readonly string[];
  /** Somebody else saved it in between. */
  isConflict?: boolean;
}

/** This text is saved as this revision. */
export type OnSaved = (saved: Base) => Promise<void>;

/** Saves the draft as it is, against the revision that it was made from. */
export function useSave(onSaved: OnSaved): () => Promise<SaveAnswer> {
  const client = useClient();
  const store = useDraftStore();
  const readNewest = useReadNewest();
  const save = async (): Promise<SaveAnswer> => {
    const { session } = store.getState();
    const { text, kind } = session.document;
    const name = session.document.isCurrent ? nameIn(session.document) : undefined;
    const called = calledOf(session.document);
    if (name === undefined) return { refusals: [`The text is no ${called} yet.`] };
    const saved = savedName(kind, session.base);
    if (saved !== undefined && saved !== name)
      return {
        refusals: [
          `The text calls the ${called} ${name}, and this is ${saved}: undo that, or begin a new ${called} with this text.`,
        ],
      };
    const expectedRevisions = [{ kind, name, revision: session.base.revision ?? 0 }];
    const { data, error } = await client
      .mutation(ApplyManifestsDocument, { input: { text, expectedRevisions } }, { additionalTypenames: [kind] })
      .toPromise();
    if (error) return { refusals: [wordsOf(error)] };
    const { changes, userErrors } = data!.payload;
    if (userErrors.length > 0) {
      const isConflict = userErrors.some(({ code }) => code === 'CONFLICT');
      // The page hears of it by itself as well, a moment later.
      if (isConflict) await readNewest(kind, name);
      return { refusals: userErrors.map(({ message }) => message), isConflict };
    }
    const revision = changes.find((each) => each.kind === kind && each.name === name)?.revision;
    if (revision == null) return { refusals: [`The server did not say as which revision ${name} is saved.`] };
    store.setState({ newest: { revision, text, by: null, at: new Date(clock()).toISOString() } });
    await onSaved({ revision, text });
    // What was typed while it was on its way stays a draft of what is saved now.
    const { session: now, put } = store.getState();
    put({ ...now, base: { revision, text }, conflicts: [] }, `${name} saved as revision ${revision}`);
    return { refusals: [] };
  };
  return async () => {
    store.setState({ isSaving: true });
    return save().finally(() => store.setState({ isSaving: false }));
  };
}

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
  const store = useDraftStore();
  const base = useDraft(({ session }) => session.base);
  const called = useDraft(({ session }) => calledOf(session.document));
  const draftName = useDraft(({ session }) => nameIn(session.document) ?? '');
  const errors = useProblems().filter(({ severity }) => severity === 'ERROR');
  const checked = useChecked();
  const save = useSave(onSaved);
  const [name, setName] = useState(draftName);
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const isNew = base.revision === null;
  const confirm = async (): Promise<void> => {
    if (isNew && name.trim() !== draftName && !store.getState().rename(name.trim())) return;
    setBusy(true);
    const answer = await save();
    setBusy(false);
    const { newest, session } = store.getState();
    if (answer.isConflict && (newest.revision ?? 0) > (session.base.revision ?? 0)) {
      // What the other one saved stands above the draft, with the way to merge it.
      close();
      store.setState({ newest: { ...newest, isInTheWay: true } });
      store
        .getState()
        .say(`It is not saved: somebody else saved the ${called} in between. Merge that into the draft, then save.`);
      return;
    }
    setRefusals(answer.refusals);
    if (answer.refusals.length > 0) return;
    close();
    onShown(name.trim());
  };
  return (
    <Over title={isNew ? `Save the new ${called}` : `Save ${draftName}`} wide onClose={close}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          void confirm();
        }}
      >
        {isNew && (
          <TextField className="field" value={name} onChange={setName} isRequired autoFocus>
            <Label>Name of the {called}</Label>
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
          Releases on their way keep the {called} with which they began. The next release takes this one.
        </p>
        {refusals.map((each) => (
          <Problem key={each}>{each}</Problem>
        ))}
        <div className="actions">
          <Button className="button" onPress={close}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isPending={busy} autoFocus={!isNew}>
            Save {called}
          </Button>
        </div>
      </Form>
    </Over>
  );
}

/** What comes from a repository is changed there: by a pull request. */
export function Propose({ source, close }: { source: string; close: () => void }) {
  const client = useClient();
  const document = useDraft(({ session }) => session.document);
  const { text } = document;
  const called = calledOf(document);
  const diff = useDraft(({ session }) => diffOf(session));
  const [title, setTitle] = useState(`Change the ${called} ${nameIn(document)}`);
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [opened, setOpened] = useState<{ url: string; number: number; diff: string }>();
  const [busy, setBusy] = useState(false);
  const propose = async (): Promise<void> => {
    setBusy(true);
    const { data, error } = await client
      .mutation(ProposeChangeDocument, { input: { text, title: title.trim() } })
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
          The {called} comes from the repository of the git source {source}. The change goes there as a pull request;
          nothing changes here before it is merged.
        </p>
        <TextField className="field" value={title} onChange={setTitle} isRequired autoFocus>
          <Label>Title of the pull request</Label>
          <Input />
        </TextField>
        {!opened && diff && <Diff text={diff} label="What changes" />}
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
