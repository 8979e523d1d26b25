import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router';
import { adminSearch } from './admin/search.ts';
import { ROOT } from './api/place.ts';
import { calendarSearch } from './calendar/search.ts';
import { Frame } from './frame/frame.tsx';
import { Broken } from './frame/broken.tsx';
import { NotFound } from './frame/not-found.tsx';
import { Loading } from './parts/empty.tsx';
import { textOf } from './parts/address.ts';
import { releaseSearch } from './release/search.ts';
import { whereSearch } from './where/search.ts';
import { flowsSearch } from './flows/search.ts';
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
  validateSearch: (typed: Record<string, unknown>): { past?: true; after?: string; badAfter?: string } => ({
    past: typed['past'] === true ? true : undefined,
    after: textOf(typed['after']),
    badAfter: textOf(typed['badAfter']),
  }),
  component: lazyRouteComponent(() => import('./holds/holds-page.tsx'), 'HoldsPage'),
});

const environment = createRoute({
  getParentRoute: () => root,
  path: '/environments/$name',
  validateSearch: (typed: Record<string, unknown>): { product?: string; after?: string; historyAfter?: string } => ({
    product: textOf(typed['product']),
    after: textOf(typed['after']),
    historyAfter: textOf(typed['historyAfter']),
  }),
  component: lazyRouteComponent(() => import('./environment/environment-page.tsx'), 'EnvironmentPage'),
});

const calendar = createRoute({
  getParentRoute: () => root,
  path: '/calendar',
  validateSearch: calendarSearch,
  component: lazyRouteComponent(() => import('./calendar/calendar-page.tsx'), 'CalendarPage'),
});

const admin = createRoute({
  getParentRoute: () => root,
  path: '/admin',
  validateSearch: adminSearch,
  component: lazyRouteComponent(() => import('./admin/admin-page.tsx'), 'AdminPage'),
});

const triggers = createRoute({
  getParentRoute: () => root,
  path: '/triggers',
  validateSearch: (typed: Record<string, unknown>): { after?: string; deliveriesAfter?: string } => ({
    after: textOf(typed['after']),
    deliveriesAfter: textOf(typed['deliveriesAfter']),
  }),
  component: lazyRouteComponent(() => import('./triggers/triggers-page.tsx'), 'TriggersPage'),
});

const sessions = createRoute({
  getParentRoute: () => root,
  path: '/sessions',
  validateSearch: ({ all, after }: Record<string, unknown>): { all?: true; after?: string } => ({
    all: all === true ? true : undefined,
    after: typeof after === 'string' ? after : undefined,
  }),
  component: lazyRouteComponent(() => import('./sessions/sessions-page.tsx'), 'SessionsPage'),
});

const flows = createRoute({
  getParentRoute: () => root,
  path: '/flows',
  validateSearch: flowsSearch,
  component: lazyRouteComponent(() => import('./flows/flows-page.tsx'), 'FlowsPage'),
});

const newFlow = createRoute({
  getParentRoute: () => root,
  path: '/flows/new',
  validateSearch: ({ from }: Record<string, unknown>): { from?: string } => ({
    from: typeof from === 'string' ? from : undefined,
  }),
  component: lazyRouteComponent(() => import('./builder/builder-page.tsx'), 'NewFlowPage'),
});

const editFlow = createRoute({
  getParentRoute: () => root,
  path: '/flows/$name',
  component: lazyRouteComponent(() => import('./builder/builder-page.tsx'), 'EditFlowPage'),
});

const workflows = createRoute({
  getParentRoute: () => root,
  path: '/workflows',
  validateSearch: flowsSearch,
  component: lazyRouteComponent(() => import('./builder/workflow/workflow-pages.tsx'), 'WorkflowsPage'),
});

const newWorkflow = createRoute({
  getParentRoute: () => root,
  path: '/workflows/new',
  validateSearch: ({ begin }: Record<string, unknown>): { begin?: string } => ({
    begin: typeof begin === 'string' ? begin : undefined,
  }),
  component: lazyRouteComponent(() => import('./builder/workflow/workflow-pages.tsx'), 'NewWorkflowPage'),
});

const editWorkflow = createRoute({
  getParentRoute: () => root,
  path: '/workflows/$name',
  component: lazyRouteComponent(() => import('./builder/workflow/workflow-pages.tsx'), 'EditWorkflowPage'),
});

export const router = createRouter({
  routeTree: root.addChildren([
    releases,
    release,
    where,
    environment,
    calendar,
    inbox,
    holds,
    triggers,
    admin,
    sessions,
    flows,
    newFlow,
    editFlow,
    workflows,
    newWorkflow,
    editWorkflow,
  ]),
  basepath: ROOT.pathname,
  defaultPreload: 'intent',
  defaultPendingComponent: () => <Loading what="the page" />,
  defaultErrorComponent: Broken,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
