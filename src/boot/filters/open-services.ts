import { Fault } from '../../core/fault.ts'
import type { ServiceRoute } from '../../core/service-route.ts'
import { judgeSegments } from '../../policy/filter/judge-segments.ts'
import type { RemoteParts } from '../../policy/filter/remote/judge-remotely.ts'
import { createHeldBlocklists } from '../../service/safety/content-safety/held-blocklists.ts'
import { openContentSafety } from '../../service/safety/content-safety/open.ts'
import type { Judge } from '../../service/safety/judge.ts'
import { openModerations } from '../../service/safety/moderations/open.ts'
import type { LiveResource } from '../resources/live-resource.ts'

/** APIs that judge texts and call no model: by the engines of the server's default policy, whatever its thresholds. */
export function listFilterServices(
  { current, filters }: LiveResource,
  remote: RemoteParts,
  policy: string,
): readonly ServiceRoute[] {
  const judge: Judge = (segments, question) => {
    const plan = current().filters.find(policy)
    if (!plan) throw new Fault('filter-unavailable', `The content filter policy ${policy} does not exist.`)
    return judgeSegments(plan, segments, question, remote)
  }
  const blocklists = createHeldBlocklists(filters.blocklists)
  return [...openContentSafety({ judge, blocklists }).routes, ...openModerations({ judge }).routes]
}
