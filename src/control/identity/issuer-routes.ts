import { Fault, toFault } from '../../core/fault.ts'
import { randomHex } from '../../core/text/id.ts'
import { issuerOf } from '../../snapshot/keys/identity/own-issuer.ts'
import { type Answer, writeAnswer } from '../http/answer.ts'
import { type IssueParts, TokenRefusal } from './issue-token.ts'
import { describeCloud, describeInstance, describeIssuer } from './metadata.ts'
import { answerIdentityRequest, answerTokenRequest, describeRefusal } from './token-endpoints.ts'

export type IssuerRoutesOptions = IssueParts & {
  /** Throws Fault `forbidden` unless the request was addressed to this server. */
  checkHost(headers: Headers): void
  /** Told of every refusal and failure, for the log. */
  onFault(fault: Fault, requestId: string): void
}

type Asked = { readonly request: Request; readonly url: URL; readonly base: string; readAddress(): string }

export type IssuerRoute = {
  readonly method: 'GET' | 'POST'
  /** `{tenant}` stands for a segment. */
  readonly path: string
  readonly answer: (asked: Asked) => Promise<Answer>
}

export type IssuerRoutes = {
  readonly routes: readonly IssuerRoute[]
  /** undefined when the path is none of these. The promise never rejects. */
  handle(request: Request, url: URL, readAddress: () => string): Promise<Response> | undefined
}

/** Where programs get tokens, and what they have to know before. None of it needs a credential, but for the tokens. */
export function createIssuerRoutes(options: IssuerRoutesOptions): IssuerRoutes {
  const { issuer } = options
  const { tenant } = issuer
  const issue =
    (version: 1 | 2) =>
    ({ request, base, readAddress }: Asked) =>
      answerTokenRequest(options, request, version, base, readAddress())
  const keys = async (): Promise<Answer> => ({ status: 200, body: await issuer.publicKeys() })
  const describe = async ({ base }: Asked): Promise<Answer> => ({
    status: 200,
    body: describeIssuer(base, tenant, issuerOf(base, tenant)),
  })
  const routes: readonly IssuerRoute[] = [
    { method: 'POST', path: '/{tenant}/oauth2/v2.0/token', answer: issue(2) },
    { method: 'POST', path: '/{tenant}/oauth2/token', answer: issue(1) },
    {
      method: 'GET',
      path: '/msi/token',
      answer: ({ request, url, base, readAddress }) =>
        answerIdentityRequest(options, request, url, base, readAddress()),
    },
    { method: 'GET', path: '/{tenant}/v2.0/.well-known/openid-configuration', answer: describe },
    { method: 'GET', path: '/{tenant}/.well-known/openid-configuration', answer: describe },
    { method: 'GET', path: '/{tenant}/discovery/v2.0/keys', answer: keys },
    { method: 'GET', path: '/{tenant}/discovery/keys', answer: keys },
    {
      method: 'GET',
      path: '/common/discovery/instance',
      answer: async ({ base }) => ({ status: 200, body: describeInstance(base, tenant) }),
    },
    {
      method: 'GET',
      path: '/metadata/endpoints',
      answer: async ({ base, url }) => ({
        status: 200,
        body: describeCloud(base, url.searchParams.get('api-version') ?? '2022-09-01'),
      }),
    },
  ]
  const patterns = routes.map((route) => ({ route, segments: route.path.split('/') }))

  async function answer(found: readonly IssuerRoute[], asked: Asked): Promise<Answer> {
    options.checkHost(asked.request.headers)
    const route = found.find(({ method }) => method === asked.request.method)
    if (route) return route.answer(asked)
    const allow = found.map(({ method }) => method).join(', ')
    throw new Fault('method-not-allowed', `${asked.request.method} is not possible here, only ${allow}.`)
  }

  return {
    routes,
    handle(request, url, readAddress) {
      const parts = url.pathname.split('/')
      const found = patterns.filter(({ segments }) => matches(segments, parts, tenant)).map(({ route }) => route)
      if (found.length === 0) return undefined
      const asked = { request, url, base: url.origin, readAddress }
      return answer(found, asked).then(writeAnswer, (error: unknown) => writeRefusal(error, options))
    },
  }
}

/** Clients put many words in the place of the tenant: its GUID, `common`, a domain. Here there is one. */
function matches(segments: readonly string[], parts: readonly string[], tenant: string): boolean {
  return (
    segments.length === parts.length &&
    segments.every(
      (segment, index) => segment === parts[index] || (segment === '{tenant}' && isTenant(parts[index], tenant)),
    )
  )
}

function isTenant(part: string | undefined, tenant: string): boolean {
  return part?.toLowerCase() === tenant || part === 'common' || part === 'organizations' || part === 'adfs'
}

function writeRefusal(error: unknown, { now, onFault }: IssuerRoutesOptions): Response {
  if (error instanceof TokenRefusal) {
    onFault(new Fault(error.status === 401 ? 'unauthorized' : 'invalid-request', error.message), randomHex())
    return writeAnswer(describeRefusal(error, now()))
  }
  const requestId = randomHex()
  const fault = toFault(error)
  onFault(fault, requestId)
  const { retryAfterMs } = fault.detail
  return writeAnswer({
    status: fault.status,
    body: { error: 'temporarily_unavailable', error_description: fault.publicMessage(requestId), error_codes: [0] },
    headers: {
      'x-request-id': requestId,
      ...(retryAfterMs !== undefined && { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) }),
    },
  })
}
