import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Copy, Plus } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { endOf, useChanges, useDefinitionChanges } from '../api/changes.ts';
import { useAll } from '../api/read-all.ts';
import { useRead } from '../api/read.ts';
import {
  AnyReleaseDocument,
  DeleteFlowDocument,
  type FlowRowFragment,
  FlowsDocument,
  LastReleaseOfFlowDocument,
  ProductsDocument,
} from '../generated/documents.ts';
import { PageHeading } from '../parts/heading.tsx';
import { useOrder } from '../parts/order.ts';
import { Status } from '../parts/status.tsx';
import { count } from '../parts/words.ts';
import { Definitions } from './definitions.tsx';
import { FirstSteps } from './first-steps.tsx';
import { FromYamlButton } from './from-yaml.tsx';

const PER_PAGE = 25;
/** Of products in a row. */
const MOST_NAMES = 10;
/** Each flow asks for its own last release. */
const RELEASES_PAUSE_MS = 5_000;

/** Every flow, and where one begins a new one. */
export function FlowsPage() {
  const { search, after } = useSearch({ from: '/flows' });
  const navigate = useNavigate({ from: '/flows' });
  const [{ data, error }, ask] = useRead({ query: FlowsDocument, variables: { first: PER_PAGE, after, search } });
  const products = useAll(ProductsDocument);
  useDefinitionChanges(['PromotionFlow'], [ask]);
  useDefinitionChanges(['Product'], [products.ask]);
  const [told, setTold] = useState(0);
  const hear = (): void => setTold((count) => count + 1);
  useChanges(AnyReleaseDocument, { from: endOf(data?.newest), asks: [ask, hear], pause: RELEASES_PAUSE_MS });
  const remove = useOrder(DeleteFlowDocument);
  const productsOf = ({ name }: FlowRowFragment): string => {
    const own = (products.nodes ?? []).filter(({ promotionFlows }) =>
      promotionFlows.some((each) => each.name === name),
    );
    const names = own.slice(0, MOST_NAMES).map((each) => each.name);
    return [...names, ...(own.length > MOST_NAMES ? [`and ${own.length - MOST_NAMES} more`] : [])].join(', ');
  };
  return (
    <>
      <PageHeading title="Flows">
        <div className="actions">
          <Link to="/workflows" className="button">
            Workflows
          </Link>
          <FromYamlButton />
          <Link to="/flows/new" className="button primary">
            <Plus size={16} aria-hidden />
            New flow
          </Link>
        </div>
      </PageHeading>
      <Definitions<FlowRowFragment>
        kind="PromotionFlow"
        shown={{ search, after }}
        onShow={(shown) => void navigate({ search: shown })}
        list={data?.promotionFlows}
        error={error}
        columns={[
          { title: 'Products', cell: productsOf },
          { title: 'Environments', cell: environmentsIn },
          { title: 'Last release', cell: ({ name }) => <LastRelease flow={name} told={told} /> },
        ]}
        tools={({ name }) => (
          <Link to="/flows/new" search={{ from: name }} className="button" aria-label={`Duplicate ${name}`}>
            <Copy size={16} aria-hidden />
            Duplicate
          </Link>
        )}
        onDelete={remove}
        consequence="Releases on their way keep it, and go on. Its revisions stay."
        begin={<FirstSteps title="There is no flow yet." />}
      />
    </>
  );
}

function environmentsIn({ steps }: FlowRowFragment): ReactNode {
  const groups = steps.filter(({ group }) => group).length;
  const environments = 1 + steps.filter(({ environment }) => environment).length;
  return (
    <span className="numbers">
      {environments}
      {groups > 0 && ` and ${count(groups, 'group')}`}
    </span>
  );
}

/** @param told counts what was told of releases: with it, it may be another one, or stand elsewhere */
function LastRelease({ flow, told }: { flow: string; told: number }) {
  const [{ data }, ask] = useRead({ query: LastReleaseOfFlowDocument, variables: { flow } });
  useEffect(() => {
    if (told > 0) ask({ requestPolicy: 'network-only' });
  }, [ask, told]);
  const release = data?.releases.nodes[0];
  if (!release) return data && <span className="hint">none yet</span>;
  return (
    <>
      <Link to="/releases/$id" params={{ id: release.uuid }}>
        {release.shortId}
      </Link>{' '}
      <Status status={release.status} />
    </>
  );
}
