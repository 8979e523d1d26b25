import { Rocket } from 'lucide-react';
import { Button, DialogTrigger } from 'react-aria-components';
import { useMay } from '../frame/viewer.ts';
import { Refused } from '../parts/ability.tsx';
import { Sheet } from '../parts/ask.tsx';
import { ReleaseForm } from '../parts/release-form.tsx';

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
      <Sheet>{(close) => <ReleaseForm title="Release a product" given={product} close={close} />}</Sheet>
    </DialogTrigger>
  );
}
