import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { ROOT } from './api/place.ts';
import { Frame } from './frame/frame.tsx';
import { NotFound } from './frame/not-found.tsx';
import { Loading } from './parts/empty.tsx';
import { releaseSearch } from './release/search.ts';
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

export const router = createRouter({
  routeTree: root.addChildren([releases, release]),
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
