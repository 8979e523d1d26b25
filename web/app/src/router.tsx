import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { ROOT } from './api/place.ts';
import { Frame } from './frame/frame.tsx';
import { NotFound } from './frame/not-found.tsx';
import { Loading } from './parts/empty.tsx';
import { releaseSearch } from './release/search.ts';
import { whereSearch } from './where/search.ts';
import { releasesSearch } from './releases/search.ts';

const root = createRootRoute({ component: Frame, notFoundComponent: NotFound });

const releases = createRoute({
  getParentRoute: () => root,
  path: '/',
  validateSearch: releasesSearch,
  component: lazyRouteComponent(() => import('./releases/releases-page.tsx'), 'ReleasesPage'),
});

const release = createRoute({
  getParentRoute: () => root,
  path: '/releases/$id',
  validateSearch: releaseSearch,
  component: lazyRouteComponent(() => import('./release/release-page.tsx'), 'ReleasePage'),
});

const where = createRoute({
  getParentRoute: () => root,
  path: '/where',
  validateSearch: whereSearch,
  component: lazyRouteComponent(() => import('./where/where-page.tsx'), 'WherePage'),
});

/** `/approvals` is the address of the links that the API makes. */
const inbox = createRoute({
  getParentRoute: () => root,
  path: '/inbox',
  validateSearch: ({ all, after }: Record<string, unknown>): { all?: true; after?: string } => ({
    all: all === true ? true : undefined,
    after: typeof after === 'string' ? after : undefined,
  }),
  component: lazyRouteComponent(() => import('./approvals/approvals-page.tsx'), 'ApprovalsPage'),
});

const holds = createRoute({
  getParentRoute: () => root,
  path: '/holds',
  validateSearch: ({ past }: Record<string, unknown>): { past?: true } => ({ past: past === true ? true : undefined }),
  component: lazyRouteComponent(() => import('./holds/holds-page.tsx'), 'HoldsPage'),
});

const triggers = createRoute({
  getParentRoute: () => root,
  path: '/triggers',
  component: lazyRouteComponent(() => import('./triggers/triggers-page.tsx'), 'TriggersPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([releases, release, where, inbox, holds, triggers]),
  basepath: ROOT.pathname,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading what="the page" />,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
