import { createHash, timingSafeEqual } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import type { Family } from '../../telemetry/metrics/family.ts'
import { prometheusContentType, renderPrometheus } from '../../telemetry/metrics/prometheus-text.ts'

/** Families by whose names they have, and what a scrape may ask for. */
export const familyNames = ['ponto', 'gen_ai', 'azure', 'process'] as const

export type FamilyName = (typeof familyNames)[number]

export type MetricsEndpointParts = {
  /** That of the metrics, and that of the management, which opens them too. */
  readonly credentials: readonly string[]
  /** Whether it opens the data plane; it opens nothing here, but deserves a clearer answer. */
  isResourceKey(key: string): boolean
  collect(names: ReadonlySet<FamilyName>): Promise<readonly Family[]>
}

/** `GET /metrics`, for Prometheus: never without a credential. */
export function createMetricsEndpoint(parts: MetricsEndpointParts): (request: Request, url: URL) => Promise<Response> {
  const expected = parts.credentials.map(digest)

  function refuse(request: Request): Response | undefined {
    const presented = /^bearer +(\S+) *$/i.exec(request.headers.get('authorization') ?? '')?.[1]
    // Digests, so that neither the time nor the length tells how much of a guess was right; all of them, so that it does not tell which.
    const given = presented === undefined ? undefined : digest(presented)
    if (given && expected.filter((known) => timingSafeEqual(known, given)).length > 0) return undefined
    const keys = [presented, request.headers.get('api-key')]
    if (keys.some((key) => typeof key === 'string' && parts.isResourceKey(key))) {
      return writeError(403, 'Forbidden', 'A resource key does not open the metrics. Send their own credential.')
    }
    const text = `${given ? 'This is not the credential of the metrics.' : 'The credential of the metrics is missing.'} Send the content of metrics.key in the data folder, or the value of PONTO_SECRET_METRICS_TOKEN, as Authorization: Bearer.`
    return writeError(401, 'Unauthorized', text, { 'www-authenticate': 'Bearer' })
  }

  return async (request, url) => {
    const refusal = refuse(request)
    if (refusal) return refusal
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return writeError(405, 'MethodNotAllowed', `${request.method} is not allowed on /metrics. Allowed: GET.`, {
        allow: 'GET, HEAD',
      })
    }
    const asked = url.searchParams
      .getAll('names')
      .flatMap((list) => list.split(','))
      .filter(Boolean)
    const unknown = asked.find((name) => !familyNames.some((known) => known === name))
    if (unknown !== undefined) {
      const text = `names: ${JSON.stringify(unknown.slice(0, 64))} is not known. It may be any of ${familyNames.join(', ')}, separated by commas.`
      return writeError(400, 'BadRequest', text)
    }
    const names = new Set(asked.length > 0 ? (asked as FamilyName[]) : familyNames)
    return new Response(await render(await parts.collect(names)), {
      headers: { 'content-type': prometheusContentType, 'cache-control': 'no-store' },
    })
  }
}

/** There may be very many: requests have their turn between two families. */
async function render(families: readonly Family[]): Promise<string> {
  let text = ''
  for (const family of families) {
    text += renderPrometheus([family])
    await turn()
  }
  return text
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function writeError(status: number, code: string, message: string, headers?: Record<string, string>): Response {
  return Response.json({ error: { code, message } }, { status, ...(headers && { headers }) })
}
