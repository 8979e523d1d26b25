import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import {
  Label,
  ListBox,
  ListBoxItem,
  Popover,
  Select,
  SelectValue,
  Button,
  ToggleButton,
  ToggleButtonGroup,
} from 'react-aria-components';
import { useQuery } from 'urql';
import { useTitle } from '../frame/title.ts';
import { ProductsDocument, type ReleaseRowFragment } from '../generated/documents.ts';
import { Empty, Loading } from '../parts/empty.tsx';
import { QueryProblem } from '../parts/problem.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { Progress } from './progress.tsx';
import { RELEASE_STATUSES, type ReleasesSearch } from './search.ts';
import { TriggerButton } from './trigger.tsx';
import { useReleases } from './use-releases.ts';

/** What moves and what moved, the newest first. */
export function ReleasesPage() {
  useTitle('Releases');
  const search = useSearch({ from: '/' });
  const { data, error } = useReleases(search);
  const isFiltered = search.product !== undefined || search.environment !== undefined || search.status !== undefined;
  return (
    <>
      <div className="heading">
        <h1>Releases</h1>
        <TriggerButton product={search.product} />
      </div>
      <Filters search={search} />
      <QueryProblem error={error} />
      {data === undefined ? (
        error === undefined && <Loading what="the releases" />
      ) : data.releases.nodes.length === 0 ? (
        isFiltered ? (
          <Empty title="No release is like this.">
            <Link to="/">Show all releases</Link>
          </Empty>
        ) : (
          <NoneYet />
        )
      ) : (
        <>
          <table className="list">
            <thead>
              <tr>
                <th scope="col">Release</th>
                <th scope="col">Version</th>
                <th scope="col">Status</th>
                <th scope="col">Progress</th>
                <th scope="col">Now</th>
                <th scope="col">Started by</th>
                <th scope="col">Created</th>
              </tr>
            </thead>
            <tbody>
              {data.releases.nodes.map((each) => (
                <Row key={each.uuid} release={each} />
              ))}
            </tbody>
          </table>
          <div className="pages">
            {search.after !== undefined && (
              <Link to="/" search={{ ...search, after: undefined }} className="button">
                Newest
              </Link>
            )}
            {data.releases.pageInfo.hasNextPage && (
              <Link
                to="/"
                search={{ ...search, after: data.releases.pageInfo.endCursor ?? undefined }}
                className="button"
              >
                Older
              </Link>
            )}
          </div>
        </>
      )}
    </>
  );
}

function Row({ release }: { release: ReleaseRowFragment }) {
  const { uuid, shortId, kind, version, status, counts, trigger, createdAt } = release;
  return (
    <tr>
      <th scope="row">
        <Link to="/releases/$id" params={{ id: uuid }} className="main-link">
          {kind === 'ROLLBACK' && <Undo2 size={16} aria-label="Rollback" />}
          {shortId}
        </Link>
        <small>{release.flowName}</small>
      </th>
      <td className="mono">{version.label}</td>
      <td>
        <Status status={status} />
      </td>
      <td>
        <Progress counts={counts} />
      </td>
      <td className="now">{nowOf(release)}</td>
      <td>{trigger.actor ?? trigger.author ?? toWords(trigger.kind)}</td>
      <td>
        <When at={createdAt} />
      </td>
    </tr>
  );
}

/** One line on what a person would ask next. */
function nowOf({ status, waitingFor, problem }: ReleaseRowFragment): string {
  if (status === 'FAILED' && problem) {
    const { environment, message } = problem.first;
    return environment === null ? message : `${environment}: ${message}`;
  }
  const [first] = waitingFor;
  if (!first) return '';
  return waitingFor.length === 1 ? first.message : `${first.message} (and ${waitingFor.length - 1} more)`;
}

function Filters({ search }: { search: ReleasesSearch }) {
  const navigate = useNavigate({ from: '/' });
  const [{ data }] = useQuery({ query: ProductsDocument });
  const change = (changed: Partial<ReleasesSearch>): void => {
    void navigate({ search: { ...search, after: undefined, ...changed } });
  };
  return (
    <div className="filters" role="group" aria-label="Filters">
      <Select
        className="field inline"
        placeholder="All products"
        value={search.product ?? ''}
        onChange={(key) => change({ product: key === '' || key === null ? undefined : String(key) })}
      >
        <Label>Product</Label>
        <Button className="button">
          <SelectValue />
          <span aria-hidden>▾</span>
        </Button>
        <Popover className="popover">
          <ListBox className="options">
            <ListBoxItem id="">All products</ListBoxItem>
            {data?.products.nodes.map(({ name }) => (
              <ListBoxItem key={name} id={name}>
                {name}
              </ListBoxItem>
            ))}
          </ListBox>
        </Popover>
      </Select>
      <ToggleButtonGroup
        className="toggles"
        aria-label="Status"
        selectionMode="multiple"
        selectedKeys={search.status ?? []}
        onSelectionChange={(keys) => {
          const status = RELEASE_STATUSES.filter((each) => keys.has(each));
          change({ status: status.length > 0 ? status : undefined });
        }}
      >
        {RELEASE_STATUSES.map((each) => (
          <ToggleButton key={each} id={each} className="toggle">
            {toWords(each)}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
    </div>
  );
}

function NoneYet() {
  const [{ data }] = useQuery({ query: ProductsDocument });
  return (
    <Empty title="Nothing has been released yet.">
      {data?.products.nodes.length === 0 ? (
        <p>
          Define a product first: <code>sluice apply -f examples/billing/</code> applies the sample.
        </p>
      ) : (
        <p>Push a commit to a trigger environment, or release a product with the button above.</p>
      )}
    </Empty>
  );
}
