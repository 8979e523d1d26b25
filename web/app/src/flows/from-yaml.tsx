import { useNavigate } from '@tanstack/react-router';
import { FileUp } from 'lucide-react';
import { type DragEvent, useState } from 'react';
import { Button, DialogTrigger, FileTrigger, Form, Heading, Label, TextArea, TextField } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../api/client.ts';
import { ApplyManifestsDocument, CheckManifestsDocument, type CheckManifestsQuery } from '../generated/documents.ts';
import { Sheet } from '../parts/ask.tsx';
import { Coded } from '../parts/coded.tsx';
import { Problem } from '../parts/problem.tsx';
import { toWords } from '../parts/words.ts';

/** Manifests that somebody has: pasted, dropped or chosen as files. */
export function FromYamlButton() {
  return (
    <DialogTrigger>
      <Button className="button">
        <FileUp size={16} aria-hidden />
        From YAML
      </Button>
      <Sheet wide>{(close) => <FromYaml close={close} />}</Sheet>
    </DialogTrigger>
  );
}

type Checked = CheckManifestsQuery['manifestsCheck'];

function FromYaml({ close }: { close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [checked, setChecked] = useState<Checked>();
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);

  const take = (given: string): void => {
    setText(given);
    setChecked(undefined);
    setRefusals([]);
  };
  const read = async (files: FileList | null): Promise<void> => {
    const texts = await Promise.all([...(files ?? [])].map((file) => file.text()));
    if (texts.length > 0) take(texts.join('\n---\n'));
  };
  const onDrop = (event: DragEvent): void => {
    if (event.dataTransfer.files.length === 0) return;
    event.preventDefault();
    void read(event.dataTransfer.files);
  };
  const check = async (): Promise<void> => {
    setBusy(true);
    const { data, error } = await client.query(CheckManifestsDocument, { input: { text } }).toPromise();
    setBusy(false);
    setRefusals(error ? [wordsOf(error)] : (data?.manifestsCheck.userErrors.map(placed) ?? []));
    if (data?.manifestsCheck.userErrors.length === 0) setChecked(data.manifestsCheck);
  };
  const save = async (): Promise<void> => {
    setBusy(true);
    const { data, error } = await client
      .mutation(ApplyManifestsDocument, { input: { text } }, { additionalTypenames: ['PromotionFlow'] })
      .toPromise();
    setBusy(false);
    const wrong = error ? [wordsOf(error)] : (data?.payload.userErrors.map(({ message }) => message) ?? []);
    setRefusals(wrong);
    if (wrong.length > 0) return;
    const saved = data?.payload.changes.filter(({ kind }) => kind === 'PromotionFlow') ?? [];
    close();
    const [flow] = saved;
    if (flow) void navigate({ to: '/flows/$name', params: { name: flow.name } });
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void (checked ? save() : check());
      }}
    >
      <Heading slot="title">Flows from YAML</Heading>
      <p className="hint">
        Paste manifests, drop files, or choose them: a flow alone, or with its environments, groups, workflows and
        products, one document each.
      </p>
      <TextField className="field" value={text} onChange={take} autoFocus>
        <Label>Manifests</Label>
        <TextArea
          rows={14}
          className="mono"
          spellCheck={false}
          onDrop={onDrop}
          onDragOver={(event) => event.preventDefault()}
        />
      </TextField>
      {checked && <WhatChanges checked={checked} />}
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <FileTrigger allowsMultiple acceptedFileTypes={['.yaml', '.yml']} onSelect={(files) => void read(files)}>
          <Button className="button">Choose files</Button>
        </FileTrigger>
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button primary" type="submit" isPending={busy} isDisabled={text.trim() === ''}>
          {checked ? 'Save all' : 'Check'}
        </Button>
      </div>
    </Form>
  );
}

const placed = (error: Checked['userErrors'][number]): string =>
  'line' in error && error.line !== undefined ? `line ${error.line}: ${error.message}` : error.message;

function WhatChanges({ checked }: { checked: Checked }) {
  return (
    <div className="note" role="status">
      <ul className="changes">
        {checked.changes.map(({ kind, name, change }) => (
          <li key={`${kind} ${name}`}>
            {kind} <strong>{name}</strong>: {toWords(change).toLowerCase()}
          </li>
        ))}
      </ul>
      {checked.warnings.map(({ line, message }) => (
        <p key={`${line} ${message}`}>
          line {line}: <Coded>{message}</Coded>
        </p>
      ))}
    </div>
  );
}
