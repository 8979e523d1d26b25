import { useNavigate } from '@tanstack/react-router';
import { Rocket } from 'lucide-react';
import { useState } from 'react';
import { Button, DialogTrigger, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../api/client.ts';
import { CanTriggerDocument, ProductsDocument, TriggerDocument } from '../generated/documents.ts';
import { useMay } from '../frame/viewer.ts';
import { Refused, whyNot } from '../parts/ability.tsx';
import { Sheet } from '../parts/ask.tsx';
import { Choose } from '../parts/choose.tsx';
import { Problem } from '../parts/problem.tsx';

/** Starts a release, and goes to it. */
export function TriggerButton({ product }: { product: string | undefined }) {
  const may = useMay();
  if (!may('PROMOTE')) return <Refused label="Release a product" reason="You are not allowed to PROMOTE anywhere." />;
  return (
    <DialogTrigger>
      <Button className="button primary">
        <Rocket size={16} aria-hidden />
        Release a product
      </Button>
      <Sheet>{(close) => <TriggerForm given={product} close={close} />}</Sheet>
    </DialogTrigger>
  );
}

function TriggerForm({ given, close }: { given: string | undefined; close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [{ data }] = useQuery({ query: ProductsDocument });
  const names = data?.products.nodes.map(({ name }) => name) ?? [];
  const [chosen, setChosen] = useState(given);
  const product = chosen ?? (names.length === 1 ? names[0] : undefined);
  const [can] = useQuery({
    query: CanTriggerDocument,
    variables: { product: product ?? '' },
    pause: product === undefined,
  });
  const reason = whyNot(can.data?.product?.viewerCan.trigger);
  const [version, setVersion] = useState('');
  const [refusals, setRefusals] = useState<string[]>([]);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<void> => {
    if (product === undefined) return setRefusals(['Choose a product first.']);
    setBusy(true);
    const input = { product, version: version.trim() === '' ? undefined : version.trim() };
    const { data: answer, error } = await client.mutation(TriggerDocument, { input }).toPromise();
    setBusy(false);
    if (error) return setRefusals([wordsOf(error)]);
    const release = answer?.payload.release;
    if (!release) return setRefusals(answer?.payload.userErrors.map(({ message }) => message) ?? []);
    close();
    await navigate({ to: '/releases/$id', params: { id: release.uuid } });
  };
  return (
    <Form
      onSubmit={(event) => {
        event.preventDefault();
        void start();
      }}
    >
      <Heading slot="title">Release a product</Heading>
      <Choose label="Product" value={product} choices={names} onChange={setChosen} />
      {reason !== undefined && <Problem>{reason}</Problem>}
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
        <Button className="button primary" type="submit" isPending={busy} isDisabled={reason !== undefined}>
          Release
        </Button>
      </div>
    </Form>
  );
}
