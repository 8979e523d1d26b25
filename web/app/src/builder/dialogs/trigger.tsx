import { Rocket } from 'lucide-react';
import { useState } from 'react';
import { Button, DialogTrigger, Input, Label, TextField } from 'react-aria-components';
import { useClient } from 'urql';
import { wordsOf } from '../../api/client.ts';
import { ApplyManifestsDocument } from '../../generated/documents.ts';
import { type Refusals, Sheet } from '../../parts/ask.tsx';
import { ReleaseForm } from '../../parts/release-form.tsx';
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

function TriggerForm({ close, onSaved }: { close: () => void; onSaved: OnSaved }) {
  const client = useClient();
  const store = useBuilderStore();
  const save = useSave(onSaved);
  const isChanged = useBuilder(({ session }) => isDirty(session) || session.base.revision === null);
  const revision = useBuilder(({ session }) => session.base.revision);
  const flow = useBuilder(({ session }) => session.document.flow?.name ?? '');
  const [newName, setNewName] = useState('');
  const [flowName, setFlowName] = useState(flow);

  const makeProduct = async (name: string): Promise<Refusals> => {
    const { flow: made } = store.getState().session.document;
    const { groups } = store.getState().catalogue;
    const of = made!.spec.steps.flatMap((step) =>
      step.group ? (groups.get(step.group) ?? []) : (step.environment ?? []),
    );
    const text = productText(name, flowName.trim(), [made!.spec.triggerEnvironment, ...of]);
    const { data, error } = await client.mutation(ApplyManifestsDocument, { input: { text } }).toPromise();
    if (error) return [wordsOf(error)];
    return data!.payload.userErrors.map(({ message }) => message);
  };
  const prepare = async (chosen: string | null): Promise<{ product: string; flow: string } | Refusals> => {
    const called = flowName.trim();
    if (revision === null && called !== flow && !store.getState().edit({ type: 'renameFlow', to: called }))
      return store.getState().refusals;
    if (isChanged) {
      const { refusals } = await save();
      if (refusals.length > 0) return refusals;
    }
    const product = chosen ?? newName.trim();
    const wrong = chosen === null ? await makeProduct(product) : [];
    return wrong.length > 0 ? wrong : { product, flow: called };
  };
  return (
    <ReleaseForm
      title={`Release by ${flow}`}
      label={isChanged ? 'Save and release' : 'Release'}
      flow={flow}
      prepare={prepare}
      close={close}
      note={
        <>
          {isChanged && (
            <p className="note">
              {revision === null
                ? 'The flow is saved first.'
                : `Revision ${revision} is saved, and the draft differs from it: the draft is saved first.`}
            </p>
          )}
          {revision === null && (
            <TextField className="field" value={flowName} onChange={setFlowName} isRequired autoFocus>
              <Label>Name of the flow</Label>
              <Input />
            </TextField>
          )}
        </>
      }
      newProduct={{
        called: 'A new product, with simulated targets',
        fields: (
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
        ),
      }}
    />
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
