import { useNavigate } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';
import { useState } from 'react';
import { Button, DialogTrigger, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { ApplyManifestsDocument, ProductsDocument, TriggerDocument } from '../../generated/documents.ts';
import { Sheet } from '../../parts/ask.tsx';
import { Choose } from '../../parts/choose.tsx';
import { Problem } from '../../parts/problem.tsx';
import { isDirty } from '../document/index.ts';
import { useBuilder, useBuilderStore } from '../state.ts';
import { type OnSaved, useSave } from './save.tsx';

/** Releases a product by this flow. A draft is saved before. */
export function TriggerButton({ onSaved }: { onSaved: OnSaved }) {
  const isSaved = useBuilder(({ session }) => session.base.revision !== null);
  return (
    <DialogTrigger>
      <Button className="button">
        <Rocket size={16} aria-hidden />
        {isSaved ? 'Trigger' : 'Save and trigger'}
      </Button>
      <Sheet>{(close) => <TriggerForm close={close} onSaved={onSaved} />}</Sheet>
    </DialogTrigger>
  );
}

const NEW = 'new product';

function TriggerForm({ close, onSaved }: { close: () => void; onSaved: OnSaved }) {
  const client = useClient();
  const navigate = useNavigate();
  const store = useBuilderStore();
  const save = useSave(onSaved);
  const isChanged = useBuilder(({ session }) => isDirty(session) || session.base.revision === null);
  const revision = useBuilder(({ session }) => session.base.revision);
  const flow = useBuilder(({ session }) => session.document.flow?.name ?? '');
  const [{ data }] = useQuery({ query: ProductsDocument });
  const names = data?.products.nodes.map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState<string>();
  const product = chosen ?? (names.length === 1 ? names[0] : data && names.length === 0 ? NEW : undefined);
  const [newName, setNewName] = useState('');
  const [version, setVersion] = useState('');
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);

  const start = async (): Promise<readonly string[]> => {
    if (product === undefined) return ['Choose a product first.'];
    if (isChanged) {
      const { refusals: wrong } = await save();
      if (wrong.length > 0) return wrong;
    }
    const name = product === NEW ? newName.trim() : product;
    if (product === NEW) {
      const { flow: made } = store.getState().session.document;
      const { groups } = store.getState().catalogue;
      const of = made!.spec.steps.flatMap((step) =>
        step.group ? (groups.get(step.group) ?? []) : (step.environment ?? []),
      );
      const text = productText(name, flow, [made!.spec.triggerEnvironment, ...of]);
      const answer = await client.mutation(ApplyManifestsDocument, { input: { text } }).toPromise();
      if (answer.error) return [wordsOf(answer.error)];
      const wrong = answer.data!.payload.userErrors.map(({ message }) => message);
      if (wrong.length > 0) return wrong;
    }
    const input = { product: name, flow, version: version.trim() === '' ? undefined : version.trim() };
    const answer = await client.mutation(TriggerDocument, { input }).toPromise();
    if (answer.error) return [wordsOf(answer.error)];
    const { release, userErrors } = answer.data!.payload;
    if (!release) return userErrors.map(({ message }) => message);
    close();
    void navigate({ to: '/releases/$id', params: { id: release.uuid } });
    return [];
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        setBusy(true);
        void start()
          .then(setRefusals)
          .finally(() => setBusy(false));
      }}
    >
      <Heading slot="title">Release by {flow}</Heading>
      {isChanged && (
        <p className="note">
          {revision === null
            ? 'The flow is saved first.'
            : `Revision ${revision} is saved, and the draft differs from it: the draft is saved first.`}
        </p>
      )}
      <Choose
        label="Product"
        value={product}
        choices={[...names, { id: NEW, name: 'A new product, with simulated targets' }]}
        onChange={setChosen}
      />
      {product === NEW && (
        <>
          <TextField className="field" value={newName} onChange={setNewName} isRequired>
            <Label>Name of the product</Label>
            <Input />
          </TextField>
          <p className="hint">
            It gets an application in every environment of the flow, whose target is simulated: nothing is deployed.
            Give them repositories later.
          </p>
        </>
      )}
      <TextField className="field" value={version} onChange={setVersion}>
        <Label>Version</Label>
        <Input />
      </TextField>
      <p className="hint">
        Leave the version out where files say it: then what is in the trigger environment now is released.
      </p>
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button primary" type="submit" isPending={busy}>
          {isChanged ? 'Save and release' : 'Release'}
        </Button>
      </div>
    </Form>
  );
}

function productText(name: string, flow: string, environments: readonly string[]): string {
  const manifest = (kind: string, called: string, spec: object): string =>
    JSON.stringify({ apiVersion: 'sluice.dev/v1', kind, metadata: { name: called }, spec });
  return [
    manifest('Product', name, { promotionFlows: [{ name: flow }] }),
    ...[...new Set(environments)].map((environment) =>
      manifest('Application', `${name}-${environment}`, {
        product: name,
        environment,
        driver: { type: 'simulate', duration: '1s' },
        health: { type: 'simulate', sequence: ['HEALTHY'] },
      }),
    ),
  ].join('\n---\n');
}
