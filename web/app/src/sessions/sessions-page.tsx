import { useNavigate, useSearch } from '@tanstack/react-router';
import { LogOut } from 'lucide-react';
import { Switch } from 'react-aria-components';
import { useQuery } from 'urql';
import { useMay } from '../frame/viewer.ts';
import {
  AllSessionsDocument,
  EndSessionDocument,
  MySessionsDocument,
  type SessionRowFragment,
} from '../generated/documents.ts';
import { Ask } from '../parts/ask.tsx';
import { Empty } from '../parts/empty.tsx';
import { PageHeading } from '../parts/heading.tsx';
import { useOrder } from '../parts/order.ts';
import { Pages } from '../parts/pages.tsx';
import { Rows } from '../parts/rows.tsx';
import { When } from '../parts/time.tsx';

/** Where the viewer is signed in, to end what should not be; an admin sees everybody's. */
export function SessionsPage() {
  const { all, after } = useSearch({ from: '/sessions' });
  const navigate = useNavigate({ from: '/sessions' });
  const may = useMay(false);
  const [mine] = useQuery({ query: MySessionsDocument, pause: all === true });
  const [everybodys] = useQuery({ query: AllSessionsDocument, variables: { after }, pause: all !== true });
  return (
    <>
      <PageHeading title="Sessions">
        {may('MANAGE_ACCESS') && (
          <Switch
            className="switch"
            isSelected={all === true}
            onChange={(every) => void navigate({ search: { all: every ? true : undefined } })}
          >
            <span className="switch-track" aria-hidden />
            Those of everybody
          </Switch>
        )}
      </PageHeading>
      <Rows
        items={all ? everybodys.data?.sessions.nodes : mine.data?.viewer.sessions}
        error={all ? everybodys.error : mine.error}
        what="the sessions"
        head={['Browser', ...(all ? ['Who'] : []), 'From', 'Signed in', 'Last used', 'Ends']}
        acts
        none={
          <Empty title="Nobody is signed in.">
            <p>A session begins when somebody signs in to this app.</p>
          </Empty>
        }
      >
        {(each) => <SessionRow key={each.id} session={each} withName={all === true} />}
      </Rows>
      {all && (
        <Pages
          after={after}
          info={everybodys.data?.sessions.pageInfo}
          onPage={(to) => void navigate({ search: { all: true, after: to } })}
        />
      )}
    </>
  );
}

function SessionRow({ session, withName }: { session: SessionRowFragment; withName: boolean }) {
  const end = useOrder(EndSessionDocument);
  const { id, subject, origin, current, createdAt, lastUsedAt, expiresAt, address, userAgent } = session;
  const browser = browserOf(userAgent);
  return (
    <tr>
      <th scope="row" title={userAgent ?? undefined}>
        {browser} {current && <span className="chip">this one</span>}{' '}
        {origin === 'TOKEN' && <span className="chip">by token</span>}
      </th>
      {withName && <td>{subject}</td>}
      <td>{address ?? 'unknown'}</td>
      <td>
        <When at={createdAt} />
      </td>
      <td>
        <When at={lastUsedAt} />
      </td>
      <td>
        <When at={expiresAt} />
      </td>
      <td>
        {!current && (
          <Ask
            label="End"
            title={`End the session of ${subject}`}
            icon={<LogOut size={16} aria-hidden />}
            kind="danger"
            onConfirm={() => end({ id })}
          >
            <p>
              {browser} from {address ?? 'an unknown address'} is signed out at once.
            </p>
          </Ask>
        )}
      </td>
    </tr>
  );
}

/** Browser and system out of what browsers say of themselves, which names half of all others, too. */
function browserOf(userAgent: string | null): string {
  if (userAgent === null) return 'Unknown browser';
  const name = BROWSERS.find(([sign]) => userAgent.includes(sign))?.[1] ?? userAgent.split(/[\s/]/)[0]!;
  const system = ['Windows', 'Android', 'iPhone', 'iPad', 'Mac OS X', 'Linux'].find((each) => userAgent.includes(each));
  return system === undefined ? name : `${name} on ${system === 'Mac OS X' ? 'macOS' : system}`;
}

/** In this order: each names itself besides the ones below it. */
const BROWSERS = [
  ['Edg/', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
] as const;
