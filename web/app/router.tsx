import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { NotFound } from './not-found.tsx'
import { RouteError } from './route-error.tsx'
import { Shell } from './shell.tsx'

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: RouteError })

const overview = createRoute({
  getParentRoute: () => root,
  path: '/',
  component: lazyRouteComponent(() => import('../pages/overview/overview.tsx'), 'Overview'),
})

const deployments = createRoute({
  getParentRoute: () => root,
  path: '/deployments',
  /** `model`: the dialog to deploy it is open. */
  validateSearch: (search): { model?: string } => (typeof search.model === 'string' ? { model: search.model } : {}),
  component: lazyRouteComponent(() => import('../pages/deployments/deployments.tsx'), 'Deployments'),
})

const deployment = createRoute({
  getParentRoute: () => root,
  path: '/deployments/$name',
  component: lazyRouteComponent(() => import('../pages/deployments/deployment.tsx'), 'DeploymentPage'),
})

const models = createRoute({
  getParentRoute: () => root,
  path: '/models',
  component: lazyRouteComponent(() => import('../pages/models/models.tsx'), 'Models'),
})

const playground = createRoute({
  getParentRoute: () => root,
  path: '/playground',
  validateSearch: (search): { deployment?: string } =>
    typeof search.deployment === 'string' ? { deployment: search.deployment } : {},
  component: lazyRouteComponent(() => import('../pages/playground/playground.tsx'), 'Playground'),
})

const keys = createRoute({
  getParentRoute: () => root,
  path: '/keys',
  component: lazyRouteComponent(() => import('../pages/keys/keys.tsx'), 'Keys'),
})

const requests = createRoute({
  getParentRoute: () => root,
  path: '/requests',
  component: lazyRouteComponent(() => import('../pages/requests/requests.tsx'), 'Requests'),
})

const activity = createRoute({
  getParentRoute: () => root,
  path: '/activity',
  component: lazyRouteComponent(() => import('../pages/activity/activity.tsx'), 'Activity'),
})

export const router = createRouter({
  basepath: '/portal',
  routeTree: root.addChildren([overview, deployments, deployment, models, playground, keys, requests, activity]),
  defaultPreload: 'intent',
  scrollRestoration: false,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
