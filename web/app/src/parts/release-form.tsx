import { Link, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { Button, Form, Heading, Input, Label, TextField } from 'react-aria-components';
import { useClient, useQuery } from 'urql';
import { wordsOf } from '../api/client.ts';
import { useAll } from '../api/read-all.ts';
import { CanTriggerDocument, ProductsDocument, TriggerDocument } from '../generated/documents.ts';
import { whyNot } from './ability.tsx';
import type { Refusals } from './ask.tsx';
import { Choose } from './choose.tsx';
import { Problem } from './problem.tsx';

/** The choice of a product that does not exist yet. */
const NEW = 'new product';

interface ReleaseFormProps {
  title: string;
  /** What the button says. */
  label?: string;
  /** The product that is chosen at first. */
  given?: string | undefined;
  /** By which flow; the product decides when absent. */
  flow?: string;
  note?: ReactNode;
  /** A product that is made on the way: how the list calls it, and what is asked of it. */
  newProduct?: { called: string; fields: ReactNode };
  /** What is done first. `product`: null is the new one. @returns the product and the flow, or why not */
  prepare?: (product: string | null) => Promise<{ product: string; flow?: string } | Refusals>;
  close: () => void;
}

/** Starts a release, and goes to it. */
export function ReleaseForm({
  title,
  label = 'Release',
  given,
  flow,
  note,
  newProduct,
  prepare,
  close,
}: ReleaseFormProps) {
  const client = useClient();
  const navigate = useNavigate();
  const { nodes, problem } = useAll(ProductsDocument);
  const names = nodes?.map(({ name }) => name);
  const [chosen, setChosen] = useState(given);
  const only = names?.length === 0 && newProduct ? NEW : onlyOf(nodes);
  const product = chosen ?? only;
  const isNew = product === NEW;
  const [can] = useQuery({
    query: CanTriggerDocument,
    variables: { product: product ?? '' },
    pause: product === undefined || isNew,
  });
  const reason = isNew ? undefined : whyNot(can.data?.product?.viewerCan.trigger);
  // A simulated target says no version by itself.
  const [typed, setVersion] = useState<string>();
  const version = typed ?? (isNew ? '1.0.0' : '');
  const [refusals, setRefusals] = useState<Refusals>([]);
  const [busy, setBusy] = useState(false);
  const start = async (): Promise<Refusals> => {
    // Who is quicker than the list does not have to choose where there is nothing to choose from.
    const target = product ?? onlyOf((await client.query(ProductsDocument, {}).toPromise()).data?.page.nodes);
    if (target === undefined) return ['Choose a product first.'];
    const prepared = prepare ? await prepare(isNew ? null : target) : { product: target };
    if (!('product' in prepared)) return prepared;
    const input = { flow, ...prepared, version: version.trim() === '' ? undefined : version.trim() };
    const { data: answer, error } = await client.mutation(TriggerDocument, { input }).toPromise();
    if (error) return [wordsOf(error)];
    const { release, userErrors } = answer!.payload;
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
      <Heading slot="title">{title}</Heading>
      {note}
      {names?.length === 0 && !newProduct && (
        <p className="note">
          There is no product yet. A flow makes one: <Link to="/flows">begin with a flow</Link>, and release it from
          there.
        </p>
      )}
      <Choose
        label="Product"
        value={product}
        choices={names && newProduct ? [...names, { id: NEW, name: newProduct.called }] : names}
        onChange={setChosen}
      />
      {problem !== undefined && <Problem>{problem}</Problem>}
      {reason !== undefined && <Problem>{reason}</Problem>}
      {isNew && newProduct?.fields}
      <TextField className="field" value={version} onChange={setVersion}>
        <Label>Version</Label>
        <Input />
      </TextField>
      <p className="hint">
        {isNew
          ? 'Any text that tells it from the next one.'
          : 'Leave the version out where files say it: then what is in the trigger environment now is released.'}
      </p>
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
      <div className="actions">
        <Button className="button" onPress={close}>
          Cancel
        </Button>
        <Button className="button primary" type="submit" isPending={busy} isDisabled={reason !== undefined}>
          {label}
        </Button>
      </div>
    </Form>
  );
}

/** The product where there is a single one. */
const onlyOf = (nodes: readonly { name: string }[] | undefined): string | undefined =>
  nodes?.length === 1 ? nodes[0]!.name : undefined;
