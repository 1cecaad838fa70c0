import { Fault } from '../../core/fault.ts'
import { refuseDryRun } from '../http/dry-run.ts'
import type { ControlRoute } from '../http/route.ts'
import type { PortalLinkView } from './api.ts'
import type { Sessions } from './sessions.ts'

/** Links that sign in to the portal, for whoever presents the management credential itself: a session must not renew itself by one. */
export function listPortalRoutes(sessions: Sessions | undefined): readonly ControlRoute[] {
  if (!sessions) return []
  return [
    {
      method: 'POST',
      path: '/portal/token',
      action: 'portal/token/action',
      scope: 'server',
      async handle(request, _name, _item, { principal }) {
        refuseDryRun(request)
        if (principal.kind !== 'operator' || principal.secretsUntil !== undefined) {
          throw new Fault('forbidden', 'Links to the portal are made with the management credential only.')
        }
        const { code, expiresAt } = sessions.issueLink()
        const body: PortalLinkView = { secret: code, expiresAt: new Date(expiresAt).toISOString() }
        return { status: 201, body }
      },
    },
  ]
}
