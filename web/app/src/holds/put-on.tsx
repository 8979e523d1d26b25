import { Hand, ThumbsDown } from 'lucide-react';
import { useState } from 'react';
import { useQuery } from 'urql';
import { useMay } from '../frame/viewer.ts';
import { HoldDocument, MarkBadDocument, WhereNamesDocument } from '../generated/documents.ts';
import { Refused } from '../parts/ability.tsx';
import { Ask } from '../parts/ask.tsx';
import { Choose } from '../parts/choose.tsx';
import { Text } from '../parts/text.tsx';
import { useOrder } from '../parts/order.ts';

/** Puts an environment on hold, of one product or of all, until a time or until somebody lifts it. */
export function HoldButton() {
  const hold = useOrder(HoldDocument);
  const may = useMay();
  const [environment, setEnvironment] = useState<string>();
  const [product, setProduct] = useState<string>();
  const [until, setUntil] = useState('');
  const icon = <Hand size={16} aria-hidden />;
  const label = 'Hold an environment';
  if (!may('HOLD')) return <Refused label={label} icon={icon} reason="You are not allowed to HOLD anywhere." />;
  return (
    <Ask
      label={label}
      confirm="Hold"
      icon={icon}
      text={{ label: 'Reason', required: true }}
      onConfirm={async (reason) =>
        environment === undefined
          ? ['Choose an environment first.']
          : hold({ input: { environment, product, reason, until: instantOf(until) } })
      }
    >
      <Environments value={environment} onChange={setEnvironment} />
      <Products none="All products" value={product} onChange={setProduct} />
      <Until value={until} onChange={setUntil} none="until somebody lifts it" />
      <p className="hint">No promotion starts there meanwhile. What runs there goes on.</p>
    </Ask>
  );
}

/** Marks a version as bad: everywhere, or for one environment. */
export function MarkButton() {
  const mark = useOrder(MarkBadDocument);
  const may = useMay();
  const [product, setProduct] = useState<string>();
  const [version, setVersion] = useState('');
  const [environment, setEnvironment] = useState<string>();
  const [until, setUntil] = useState('');
  const icon = <ThumbsDown size={16} aria-hidden />;
  const label = 'Mark a version';
  if (!may('MARK_BAD')) return <Refused label={label} icon={icon} reason="You are not allowed to MARK_BAD anywhere." />;
  return (
    <Ask
      label={label}
      title="Mark a version as bad"
      confirm="Mark bad"
      icon={icon}
      text={{ label: 'Reason', required: true }}
      onConfirm={async (reason) =>
        product === undefined
          ? ['Choose a product first.']
          : mark({ input: { product, version: version.trim(), environment, reason, expiresAt: instantOf(until) } })
      }
    >
      <Products value={product} onChange={setProduct} />
      <Text
        label="Version"
        value={version}
        onChange={setVersion}
        isRequired
        hint="1.4.3, as it is called in its releases"
      />
      <Environments none="Everywhere" value={environment} onChange={setEnvironment} />
      <Until value={until} onChange={setUntil} none="until somebody takes it back" />
      <p className="hint">It is not promoted any further. Where it is, it stays.</p>
    </Ask>
  );
}

interface OneProps {
  value: string | undefined;
  onChange: (to: string | undefined) => void;
  none?: string;
}

function Environments(props: OneProps) {
  const [{ data }] = useQuery({ query: WhereNamesDocument });
  return <Choose label="Environment" choices={data?.deploymentMatrixAxes.environmentNames} {...props} />;
}

function Products(props: OneProps) {
  const [{ data }] = useQuery({ query: WhereNamesDocument });
  return <Choose label="Product" choices={data?.deploymentMatrixAxes.productNames} {...props} />;
}

/** The end of it on the clocks of the viewer; empty: it has none. */
const Until = ({ value, onChange, none }: { value: string; onChange: (to: string) => void; none: string }) => (
  <label className="field">
    Until (empty: {none})
    <input type="datetime-local" value={value} onChange={({ target }) => onChange(target.value)} />
  </label>
);

const instantOf = (local: string): string | undefined => (local === '' ? undefined : new Date(local).toISOString());
