import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { EnvironmentLink } from '../environment/link.tsx';
import { AuditDocument, type AuditQuery } from '../generated/documents.ts';
import { Choose } from '../parts/choose.tsx';
import { Empty } from '../parts/empty.tsx';
import { Listed } from '../parts/rows.tsx';
import { Status } from '../parts/status.tsx';
import { When } from '../parts/time.tsx';
import { Typed } from '../parts/typed.tsx';
import { toWords } from '../parts/words.ts';
import { changesOf } from './changes.ts';
import { type AdminSearch, OUTCOMES } from './search.ts';
import { usePaging } from './use-paging.ts';

type Entry = AuditQuery['auditLog']['nodes'][number];

/** Every command, the newest first: who, what, how it ended, and what it changed. */
export function Audit() {
  const { actor, action, outcome } = useSearch({ from: '/admin' });
  const navigate = useNavigate({ from: '/admin' });
  const { after, onPage } = usePaging();
  const change = (changed: Partial<AdminSearch>): void =>
    void navigate({ search: (before) => ({ ...before, after: undefined, ...changed }) });
  const [{ data, error }] = useQuery({
    query: AuditDocument,
    variables: {
      after,
      filter: {
        actor,
        actions: action === undefined ? undefined : [action],
        outcomes: outcome === undefined ? undefined : [outcome],
      },
    },
  });
  return (
    <>
      <div className="filters" role="group" aria-label="Filters">
        <Typed label="Who" hint="the exact name" value={actor} onChange={(to) => change({ actor: to })} />
        <Typed label="Command" hint="releaseTrigger" value={action} onChange={(to) => change({ action: to })} />
        <Choose
          isInline
          label="Outcome"
          none="Any"
          value={outcome}
          choices={OUTCOMES.map((id) => ({ id, name: toWords(id) }))}
          onChange={(id) => change({ outcome: OUTCOMES.find((each) => each === id) })}
        />
      </div>
      <Listed
        page={data?.auditLog}
        error={error}
        what="the audit log"
        head={['Command', 'Outcome', 'Who', 'On', 'When', 'What changed']}
        after={after}
        onPage={onPage}
        none={<Empty title="No command is like this." />}
      >
        {(each) => <EntryRow key={each.id} entry={each} />}
      </Listed>
    </>
  );
}

/** Things that are named in a row: an apply can change hundreds. */
const FEW = 5;

function EntryRow({ entry }: { entry: Entry }) {
  const { action, outcome, actor, credential, transport, address, objects, at, reasons } = entry;
  return (
    <tr>
      <th scope="row" className="mono">
        {action}
      </th>
      <td>
        <Status status={outcome} />
      </td>
      <td>
        {actor ?? 'without a name'}
        <small className="below">{[transport, address, credential].filter((each) => each != null).join(', ')}</small>
      </td>
      <td>
        {objects.slice(0, FEW).map((each) => (
          <span key={`${each.kind} ${each.name}`} className="below">
            <Thing {...each} />
          </span>
        ))}
        {objects.length > FEW && <small className="below">and {objects.length - FEW} more</small>}
      </td>
      <td>
        <When at={at} />
      </td>
      <td className="now">
        {reasons.map((each) => (
          <p key={each} className="note">
            {each}
          </p>
        ))}
        <Changes entry={entry} />
      </td>
    </tr>
  );
}

const BARE_ID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;

/** What a command changed, with the way there where it has a page. */
function Thing({ kind, name }: { kind: string; name: string }) {
  if (kind === 'Environment') return <EnvironmentLink name={name} />;
  if (kind !== 'Release') return `${kind} ${BARE_ID.test(name) ? name.slice(0, 8) : name}`;
  return (
    <Link to="/releases/$id" params={{ id: name }} className="mono">
      Release {name.slice(0, 8)}
    </Link>
  );
}

function Changes({ entry: { before, after, input } }: { entry: Entry }) {
  const changes = changesOf(before, after);
  return (
    <details>
      <summary>{changes.length > 0 ? `${changes.length} changed` : 'What was asked'}</summary>
      <dl className="changes">
        {(changes.length > 0 ? changes : changesOf(undefined, input)).map(({ path, from, to }) => (
          <div key={path}>
            <dt className="mono">{path}</dt>
            <dd>
              {from !== undefined && <del>{from}</del>} {to !== undefined && <ins>{to}</ins>}
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
