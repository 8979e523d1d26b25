import { useState } from 'react';
import { Button, Form, Input, Label, TextField } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { ApplyManifestsDocument } from '../../generated/documents.ts';
import type { Definition } from '../../../../../src/core/definitions.ts';
import { SPECS } from '../../../../../src/core/kinds/index.ts';
import type { Kind } from '../../../../../src/core/kinds/names.ts';
import { exportManifest } from '../../../../../src/manifests/export.ts';
import type { TextShape } from '../../../../../src/core/kinds/shape.ts';
import { changed, Fields, FormHelper } from '../forms/form.tsx';
import { useBuilder } from '../state.ts';
import { Problem } from '../../parts/problem.tsx';
import { Over } from './sheet.tsx';

type Spec = Record<string, unknown>;

/** What a person does not have to say first. */
const BEGIN: Partial<Record<Kind, Spec>> = {
  Environment: { kind: 'NON_PRODUCTION' },
  EnvironmentGroup: { environments: { names: [] }, gate: { policy: 'ALL' }, maxFailures: 0 },
};

const spaced = (kind: Kind): string => kind.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter}`).toLowerCase();

/** Makes a definition that the flow needs, over the draft. */
export function Define({
  kind,
  name: given,
  spec: begin,
  saved,
  onDone,
}: {
  kind: Kind;
  name: string;
  /** What it begins with; what most begin with when undefined. */
  spec: Spec | undefined;
  /** It is there already, as this revision: it is changed, and keeps its name. */
  saved?: { revision: number; metadata: Definition['metadata'] };
  /** With its name once it is saved; null: given up. */
  onDone: (name: string | null) => void;
}) {
  const client = useClient();
  const catalogue = useBuilder((state) => state.catalogue);
  const [name, setName] = useState(given);
  const [spec, setSpec] = useState<Spec>(() => begin ?? BEGIN[kind] ?? {});
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    const metadata = saved?.metadata ?? { name: name.trim(), labels: {}, annotations: {} };
    const definition = { kind, metadata, spec };
    const text = exportManifest(definition);
    const input = { text, expectedRevisions: [{ kind, name: name.trim(), revision: saved?.revision ?? 0 }] };
    const { data, error } = await client.mutation(ApplyManifestsDocument, { input }).toPromise();
    setBusy(false);
    if (error) return setRefusals([wordsOf(error)]);
    const wrong = data!.payload.userErrors.map(({ message }) => message);
    setRefusals(wrong);
    if (wrong.length === 0) onDone(name.trim());
  };
  const namesFor = (shape: TextShape): readonly string[] | null => {
    if (shape.refers === 'Environment') return [...catalogue.environments.keys()];
    if (shape.refers === 'PromotionWorkflow') return [...catalogue.workflows];
    if (shape.rule === 'pattern') return [...catalogue.environments.keys()];
    return null;
  };
  return (
    <Over title={saved ? `Change ${spaced(kind)} ${given}` : `New ${spaced(kind)}`} onClose={() => onDone(null)}>
      <Form
        onSubmit={(event) => {
          event.preventDefault();
          // A dialog within a dialog: the one below is not sent with it.
          event.stopPropagation();
          void save();
        }}
      >
        {!saved && (
          <TextField className="field" value={name} onChange={setName} isRequired autoFocus>
            <Label>Name</Label>
            <Input />
          </TextField>
        )}
        <FormHelper value={{ namesFor }}>
          <Fields shape={SPECS[kind]} value={spec} onChange={(key, value) => setSpec(changed(spec, key, value))} />
        </FormHelper>
        {refusals.map((each) => (
          <Problem key={each}>{each}</Problem>
        ))}
        <div className="actions">
          <Button className="button" onPress={() => onDone(null)}>
            Cancel
          </Button>
          <Button className="button primary" type="submit" isPending={busy}>
            {saved ? 'Save' : 'Create'} {spaced(kind)}
          </Button>
        </div>
      </Form>
    </Over>
  );
}
