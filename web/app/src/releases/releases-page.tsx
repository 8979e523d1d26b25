import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Undo2 } from 'lucide-react';
import { useQuery } from 'urql';
import { ProductsDocument, type ReleaseRowFragment } from '../generated/documents.ts';
import { FirstSteps } from '../flows/first-steps.tsx';
import { Empty } from '../parts/empty.tsx';
import { PageHeading, Total } from '../parts/heading.tsx';
import { Listed } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { toWords } from '../parts/words.ts';
import { Filters, isFiltered } from './filters.tsx';
import { Progress } from './progress.tsx';
import { TriggerButton } from './trigger.tsx';
import { useReleases } from './use-releases.ts';

/** What moves and what moved, the newest first. */
export function ReleasesPage() {
  const search = useSearch({ from: '/' });
  const navigate = useNavigate({ from: '/' });
  const { data, error } = useReleases(search);
  const list = data?.releases;
  return (
    <>
      <PageHeading
        title="Releases"
        shown={
          <>
            Releases
            {list && <Total of={list} />}
          </>
        }
      >
        <TriggerButton product={search.product} />
      </PageHeading>
      <Filters search={search} facets={data?.choices.facets} />
      <Listed
        page={list}
        error={error}
        what="the releases"
        head={['Release', 'Version', 'Status', 'Progress', 'Now', 'Started by', 'Created']}
        after={search.after}
        onPage={(after) => void navigate({ search: { ...search, after } })}
        none={
          isFiltered(search) ? (
            <Empty title="No release is like this.">
              <Link to="/">Show all releases</Link>
            </Empty>
          ) : (
            <NoneYet />
          )
        }
      >
        {(each) => <Row key={each.uuid} release={each} />}
      </Listed>
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

function NoneYet() {
  const [{ data }] = useQuery({ query: ProductsDocument });
  const title = 'Nothing has been released yet.';
  if (data?.page.nodes.length === 0) return <FirstSteps title={title} />;
  return (
    <Empty title={title}>
      <p>Push a commit to a trigger environment, or release a product with the button above.</p>
    </Empty>
  );
}
