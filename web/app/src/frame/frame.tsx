import { Link, Outlet, useMatch, useRouterState } from '@tanstack/react-router';
import {
  CalendarDays,
  CodeXml,
  Grid3x3,
  Hand,
  type LucideIcon,
  Rocket,
  ShieldCheck,
  UserCheck,
  Webhook,
  Workflow,
} from 'lucide-react';
import { type ReactNode, useEffect, useRef } from 'react';
import { useChanges } from '../api/changes.ts';
import { useRead } from '../api/read.ts';
import { addressOf } from '../api/place.ts';
import { useSession } from '../api/session.ts';
import { ApprovalsForMeDocument, InboxChangedDocument, type Permission } from '../generated/documents.ts';
import { Find } from '../find/find.tsx';
import { Left } from '../parts/left.tsx';
import { ConnectionState } from './connection-state.tsx';
import { SessionOver, SignInPage } from './sign-in.tsx';
import { ThemeSwitch } from './theme.tsx';
import { useMay } from './viewer.ts';
import { Who } from './who.tsx';

interface Page {
  to: string;
  name: string;
  icon: LucideIcon;
  Count?: () => ReactNode;
  /** Only for those who may do one of these. */
  for?: readonly Permission[];
}

const PAGES: Page[] = [
  { to: '/', name: 'Releases', icon: Rocket },
  { to: '/flows', name: 'Flows', icon: Workflow },
  { to: '/where', name: 'Where is what', icon: Grid3x3 },
  { to: '/calendar', name: 'Calendar', icon: CalendarDays },
  { to: '/inbox', name: 'Approvals', icon: UserCheck, Count: ForMe },
  { to: '/holds', name: 'Holds', icon: Hand },
  { to: '/triggers', name: 'Triggers', icon: Webhook },
  { to: '/admin', name: 'Administration', icon: ShieldCheck, for: ['MANAGE_ACCESS', 'MANAGE_SECRETS', 'READ_AUDIT'] },
];

/** What stands around every page: where one can go, who one is, how fresh it is. */
export function Frame() {
  const { over, name } = useSession();
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const isOnRelease = useMatch({ from: '/releases/$id', shouldThrow: false }) !== undefined;
  // What has another address than the page that leads to it.
  const within = isOnRelease ? '/' : /^\/workflows(\/|$)/.test(path) ? '/flows' : undefined;
  const may = useMay(false);
  const pages = PAGES.filter((each) => each.for?.some(may) ?? true);
  const before = useRef(path);
  const side = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a telephone the pages stand in one line: the one that is shown is in sight.
    const here = side.current?.querySelector<HTMLElement>('[aria-current="page"]');
    if (here && side.current)
      side.current.scrollLeft = here.offsetLeft - (side.current.clientWidth - here.offsetWidth) / 2;
  }, [path, pages.length]);
  useEffect(() => {
    // A reader of the screen hears the new page and not the link that is gone.
    if (before.current !== path) main.current?.focus();
    before.current = path;
  }, [path]);
  return (
    <>
      <a className="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to the page
      </a>
      <header className="top">
        <Link to="/" className="brand">
          <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden>
            <rect width="32" height="32" rx="7" className="brand-box" />
            <path d="M6 11h6l4 10h10M6 21h5m7-10h8" className="brand-line" />
          </svg>
          Sluice
        </Link>
        <ConnectionState />
        <Find pages={pages} />
        <Who />
        <ThemeSwitch />
      </header>
      <nav className="side" aria-label="Pages" ref={side}>
        <ul>
          {pages.map(({ to, name, icon: Icon, Count }) => (
            <li key={to}>
              <Link
                to={to}
                activeOptions={{ exact: to === '/', includeSearch: false }}
                {...(to === within ? { 'aria-current': 'page' as const } : {})}
              >
                <Icon size={18} aria-hidden />
                <span>{name}</span>
                {Count && <Count />}
              </Link>
            </li>
          ))}
          <li className="apart">
            <a href={addressOf('graphiql/')}>
              <CodeXml size={18} aria-hidden />
              <span>GraphQL API</span>
            </a>
          </li>
        </ul>
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        {over !== null && name === undefined ? <SignInPage /> : <Outlet />}
      </main>
      <Left />
      {over !== null && name !== undefined && <SessionOver reason={over} />}
    </>
  );
}

/** How many approvals wait for the viewer, live. */
function ForMe() {
  const [{ data }, ask] = useRead({ query: ApprovalsForMeDocument });
  useChanges(InboxChangedDocument, { from: data?.approvals.lastCursor, asks: [ask] });
  const inbox = data?.approvals;
  if (!inbox || inbox.totalCount === 0) return null;
  return (
    <span className="badge" title={`${inbox.totalCount} wait for you`}>
      {inbox.totalCount}
      {inbox.isTotalCapped && '+'}
    </span>
  );
}
