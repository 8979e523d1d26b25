import { Link, Outlet, useRouterState } from '@tanstack/react-router';
import { CodeXml, type LucideIcon, Rocket, TriangleAlert } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { useQuery } from 'urql';
import { useConnection } from '../api/connection.ts';
import { addressOf } from '../api/place.ts';
import { ViewerDocument } from '../generated/documents.ts';
import { ConnectionState } from './connection-state.tsx';
import { ThemeSwitch } from './theme.tsx';
import { TokenForm } from './token-form.tsx';

const PAGES: { to: string; name: string; icon: LucideIcon }[] = [{ to: '/', name: 'Releases', icon: Rocket }];

/** What stands around every page: where one can go, who one is, how fresh it is. */
export function Frame() {
  const refused = useConnection((state) => state.refused);
  const main = useRef<HTMLElement>(null);
  const path = useRouterState({ select: ({ location }) => location.pathname });
  const before = useRef(path);
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
        <Who />
        <ThemeSwitch />
      </header>
      <nav className="side" aria-label="Pages">
        <ul>
          {PAGES.map(({ to, name, icon: Icon }) => (
            <li key={to}>
              <Link to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
                <Icon size={18} aria-hidden />
                <span>{name}</span>
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
        {refused === null ? <Outlet /> : <TokenForm reason={refused} />}
      </main>
    </>
  );
}

function Who() {
  const [{ data }] = useQuery({ query: ViewerDocument });
  if (!data) return null;
  const { kind, name } = data.viewer;
  if (kind !== 'ANONYMOUS') return <span className="who">{name}</span>;
  return (
    <span className="banner" title="Set SLUICE_ADMIN_TOKEN or an identity provider to change that">
      <TriangleAlert size={16} aria-hidden />
      <span>
        No sign-in: <span className="long">whoever reaches this server can do everything</span>
      </span>
    </span>
  );
}
