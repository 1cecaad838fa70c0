import { serverScope } from '../../../core/access/principal.ts'
import { Fault } from '../../../core/fault.ts'
import { isAllowed } from '../../../policy/access/authorize.ts'
import type { RequestLog } from '../../../policy/request-log/request-log.ts'
import type { RequestStore } from '../../../port/requests/port.ts'
import type { LiveCounts } from '../../../telemetry/live-counts.ts'
import type { RequestLogView } from '../../api.ts'
import type { Answer } from '../../http/answer.ts'
import type { ControlRoute, Visit } from '../../http/route.ts'
import { readRequestFilter, readRequestQuery } from './query.ts'
import { streamRequests } from './stream.ts'

export type RequestsParts = {
  /** undefined where the server keeps no request log. */
  readonly log: RequestLog | undefined
  readonly store: Pick<RequestStore, 'search' | 'find' | 'findContent' | 'totals'>
  readonly live: Pick<LiveCounts, 'views'>
  /** Aborted when the server stops: answers that go on for ever end then. */
  readonly stopping: AbortSignal
}

export type RequestsOptions = { readonly requests?: RequestsParts | undefined }

/** As Azure calls it. Roles that are for models only do not have it. */
const logsRead = 'Microsoft.Insights/logs/read'
/** What one must be allowed to do to read prompts and answers. */
const contentAction = 'Microsoft.Insights/logs/content/action'
/** A store that is away keeps nobody waiting for what is not written yet. */
const flushMs = 500

/** What was asked, and what is going on now. */
export function listRequestRoutes({ requests }: RequestsOptions): readonly ControlRoute[] {
  if (!requests) return []
  const { log: kept, store, live, stopping } = requests

  function requireLog(): RequestLog {
    if (kept) return kept
    throw new Fault(
      'not-found',
      'This server keeps no request log. Start it with --request-log-days 30 (or PONTO_REQUEST_LOG_DAYS).',
      { vendorCode: 'RequestLogOff' },
    )
  }

  /** So that whoever looks for what was just asked finds it. */
  async function flush(log: RequestLog): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const enough = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, flushMs)
    })
    await Promise.race([log.flush(), enough]).finally(() => clearTimeout(timer))
  }

  async function list(request: Request): Promise<Answer> {
    const log = requireLog()
    const url = new URL(request.url)
    const query = readRequestQuery(url)
    if (query.after === undefined) await flush(log)
    const { documents, after } = await store.search(query)
    if (after === undefined) return { status: 200, body: { value: documents } }
    url.searchParams.set('after', String(after))
    return { status: 200, body: { value: documents, nextLink: url.pathname + url.search } }
  }

  async function show(_request: Request, id: string, _item: string, { principal }: Visit): Promise<Answer> {
    const log = requireLog()
    const document = (await store.find(id)) ?? (await flush(log).then(() => store.find(id)))
    if (!document) {
      throw new Fault(
        'not-found',
        `There is no request ${JSON.stringify(id)} in the log. Ids are those of the x-request-id header; old requests are deleted.`,
      )
    }
    const { isCaptured = false } = document
    if (!isCaptured) return { status: 200, body: document }
    if (!isAllowed(principal, 'management', contentAction, serverScope)) {
      return { status: 200, body: { ...document, isContentWithheld: true } }
    }
    const found = await store.findContent(id)
    if (!found) return { status: 200, body: document }
    const { id: _id, expiresAt, ...content } = found
    return { status: 200, body: { ...document, content: { ...content, expiresAt: new Date(expiresAt).toISOString() } } }
  }

  async function follow(request: Request): Promise<Answer> {
    const log = requireLog()
    const isWanted = readRequestFilter(new URL(request.url))
    return { status: 200, events: streamRequests(log.follow, isWanted, AbortSignal.any([request.signal, stopping])) }
  }

  async function summarize(): Promise<Answer> {
    const log = requireLog()
    const { oldestAt, ...totals } = await store.totals()
    const oldest = oldestAt === undefined ? undefined : new Date(oldestAt).toISOString()
    const body: RequestLogView = { ...log.state(), ...totals, ...(oldest !== undefined && { oldest }) }
    return { status: 200, body }
  }

  const ofServer = (path: string, action: string, handle: ControlRoute['handle']): ControlRoute => ({
    ...{ method: 'GET', path, action, handle, scope: 'server' },
  })
  return [
    ofServer('/requests', logsRead, list),
    ofServer('/requests/stream', logsRead, follow),
    ofServer('/requests/summary', logsRead, summarize),
    ofServer('/requests/{name}', logsRead, show),
    ofServer('/live', logsRead, async () => ({ status: 200, body: { value: live.views() } })),
  ]
}
