import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { Button } from 'react-aria-components';
import { ApplyManifestsDocument } from '../generated/documents.ts';
import { Empty } from '../parts/empty.tsx';
import { useOrder } from '../parts/order.ts';
import { Problem } from '../parts/problem.tsx';

/** The way from nothing to a release that one can watch. */
export function FirstSteps({ title }: { title: string }) {
  const apply = useOrder(ApplyManifestsDocument);
  const navigate = useNavigate();
  const [refusals, setRefusals] = useState<readonly string[]>([]);
  const [busy, setBusy] = useState(false);
  const add = async (): Promise<void> => {
    setBusy(true);
    const { default: text } = await import('./billing.yaml?raw');
    const answer = await apply({ input: { text, fileName: 'billing.yaml' } });
    setBusy(false);
    setRefusals(answer);
    if (answer.length === 0) void navigate({ to: '/flows/$name', params: { name: 'billing-flow' } });
  };
  return (
    <Empty title={title}>
      <p>
        A flow says how a version travels: from the environment where it arrives, through staging, to every region. Make
        one here, with its environments, and release a first version by it: nothing is deployed before you say where.
      </p>
      <p className="actions centred">
        <Link to="/flows/new" className="button primary">
          Make your first flow
        </Link>
        <Button className="button" isPending={busy} onPress={() => void add()}>
          Add the Billing example
        </Button>
      </p>
      <p className="hint">
        The example has six simulated environments, a product, and a flow that one can release, watch and change.
      </p>
      {refusals.map((each) => (
        <Problem key={each}>{each}</Problem>
      ))}
    </Empty>
  );
}
