import { type Protocol, presets, protocols } from '../../../src/backend/presets.ts'
import { type CallKind, passKinds } from '../../../src/core/call.ts'
import type { ClientEnd } from '../../../src/wire/wire.ts'
import type { PolicyKind } from '../filter/policies.ts'
import { itemNames, listNames, serviceBody } from '../filter/service-bodies.ts'
import { writeJson } from '../json-text.ts'
import type { Random } from '../random.ts'
import type { RawRequest } from '../raw-client.ts'
import type { FuzzRoute } from '../routes.ts'
import { type FuzzTarget, goodDeployment } from '../target.ts'
import { richBodies, writeForm } from '../valid-bodies.ts'

/** What a request needs to be let in. */
export type Credentials = Pick<FuzzTarget, 'key' | 'managementCredential'> & {
  readonly upstreamPort: number
  readonly lane: number
  /** Under which policy the deployment is that is asked; none filters when absent. */
  readonly policy?: PolicyKind
}

/** A request that can still be changed in all its parts. */
export type RequestDraft = {
  method: string
  path: string
  query: string
  headers: [string, string][]
  value: unknown
  body: Buffer | undefined
  isForm: boolean
  framing: 'length' | 'chunked'
  /** What `content-length` says instead of the truth. */
  length: string | undefined
  bodyEdits: ((body: Buffer) => Buffer)[]
  chunkEdits: ((framed: string) => string)[]
  wireEdits: ((wire: Buffer) => Buffer)[]
  isFramed: boolean
  isPathKnown: boolean
  leave: RawRequest['leave']
}

export type RequestMutation = {
  readonly name: string
  /** Where it has a place. */
  readonly fits?: (draft: RequestDraft) => boolean
  apply(draft: RequestDraft, random: Random, credentials: Credentials): void
}

/** Mostly one that has the operation, so that most requests get as far as the upstream. */
function pickProtocol({ call }: FuzzRoute, random: Random): Protocol {
  const able = protocols.filter((protocol) => {
    const ends: Partial<Record<CallKind, ClientEnd>> = presets[protocol].clientEnds
    const end = call && ends[call.kind]
    return end && (end.wire === call.wire || !(passKinds as readonly CallKind[]).includes(call.kind))
  })
  return random.pick(able.length > 0 && random.chance(0.85) ? able : protocols)
}

const managed = ['mine-a', 'mine-b', 'Mine-C', 'mine.d', 'mine_e']

export function draftOf(route: FuzzRoute, random: Random, credentials: Credentials): RequestDraft {
  const deployment = goodDeployment(credentials.lane, pickProtocol(route, random), credentials.policy)
  const draft: RequestDraft = {
    method: route.method,
    path: route.path.replace('{deployment}', deployment).replace('{mine}', random.pick(managed)),
    query: route.apiVersion ? 'api-version=2024-10-21' : '',
    headers: [['Host', 'localhost']],
    value: undefined,
    body: undefined,
    isForm: false,
    framing: random.chance(0.15) ? 'chunked' : 'length',
    length: undefined,
    bodyEdits: [],
    chunkEdits: [],
    wireEdits: [],
    isFramed: true,
    isPathKnown: true,
    leave: undefined,
  }
  if (route.surface === 'management') {
    draft.headers.push(['Authorization', `Bearer ${credentials.managementCredential}`])
  } else {
    const { key } = credentials
    draft.headers.push(
      random.pick([
        ['api-key', key],
        ['x-api-key', key],
        ['Authorization', `Bearer ${key}`],
      ] as const) as [string, string],
    )
  }
  if (route.call) fillCall(draft, route.call, deployment, random)
  else if (route.service) fillService(draft, route.service, random)
  else if (route.method === 'PUT' || route.method === 'PATCH') {
    draft.headers.push(['Content-Type', 'application/json'])
    draft.value = managementBody(credentials.upstreamPort, random)
  }
  return draft
}

function fillCall(draft: RequestDraft, call: NonNullable<FuzzRoute['call']>, model: string, random: Random): void {
  const { wire, kind, takesForm } = call
  const body = { model, ...random.pick(richBodies(wire, kind)) }
  const isForm = takesForm && random.chance(0.8)
  if (!isForm) {
    draft.headers.push(['Content-Type', 'application/json'])
    if (wire.startsWith('azure-inference') && random.chance(0.5))
      draft.headers.push(['extra-parameters', 'pass-through'])
    draft.value = body
    return
  }
  const fields = kind === 'image-edit' ? { model, prompt: 'a cat', n: '1' } : body
  const form = writeForm(fields, Buffer.alloc(random.pick([1, 100, 50_000]), 7))
  draft.headers.push(['Content-Type', form.contentType])
  draft.isForm = true
  draft.body = form.bytes
}

function fillService(draft: RequestDraft, service: NonNullable<FuzzRoute['service']>, random: Random): void {
  draft.path = draft.path.replace('{list}', random.pick(listNames)).replace('{item}', random.pick(itemNames))
  if (draft.method === 'GET') draft.query += random.pick(['', '&top=1', '&skip=1&maxpagesize=1', '&top=x', '&skip=-1'])
  const body = serviceBody(service, random)
  if (body === undefined) return
  draft.headers.push(['Content-Type', 'application/json'])
  draft.value = body
}

/** The backend is on loopback, and nothing here calls these deployments. */
function managementBody(port: number, random: Random): unknown {
  return {
    model: { format: 'OpenAI', name: 'm', version: '1' },
    backends: [
      {
        url: `http://127.0.0.1:${port}/managed`,
        protocol: random.pick(protocols),
        auth: 'bearer',
        credential: random.pick([{ value: 'sk-managed' }, { env: 'PONTO_SECRET_FUZZ' }, { stored: true }, null]),
        priority: 1,
        weight: 2,
        timeouts: { connectMs: 100, firstByteMs: 100, idleMs: 100, totalMs: 100 },
      },
    ],
  }
}

/** What the server takes of a head. */
const longHeadLength = 16_000

export function render(draft: RequestDraft, random: Random): RawRequest {
  let body: Buffer = draft.value === undefined ? (draft.body ?? Buffer.alloc(0)) : Buffer.from(writeJson(draft.value))
  for (const edit of draft.bodyEdits) body = edit(body)
  const headers = [...draft.headers]
  const hasBody = body.length > 0 || draft.method === 'POST' || draft.method === 'PUT'
  if (draft.length !== undefined) headers.push(['Content-Length', draft.length])
  else if (draft.framing === 'chunked') headers.push(['Transfer-Encoding', 'chunked'])
  else if (hasBody) headers.push(['Content-Length', String(body.length)])
  const target = draft.query === '' ? draft.path : `${draft.path}?${draft.query}`
  const head = `${draft.method} ${target} HTTP/1.1\r\n${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  let framed: Buffer = body
  if (draft.framing === 'chunked' && draft.length === undefined) {
    let text = writeChunks(body, random)
    for (const edit of draft.chunkEdits) text = edit(text)
    framed = Buffer.from(text, 'latin1')
  }
  let wire: Buffer = Buffer.concat([Buffer.from(head, 'latin1'), framed])
  for (const edit of draft.wireEdits) wire = edit(wire)
  const isCut = random.chance(0.05) && wire.length > 10
  const at = random.int(1, Math.max(1, wire.length - 1))
  return {
    bytes: isCut ? [wire.subarray(0, at), wire.subarray(at)] : [wire],
    isHead: draft.method === 'HEAD',
    // A head that is refused for its length is answered and hung up on while the rest is on its way, which may cost the answer.
    isFramed: draft.isFramed && head.length < longHeadLength,
    leave: draft.leave,
  }
}

function writeChunks(body: Buffer, random: Random): string {
  let text = ''
  for (let at = 0; at < body.length; ) {
    const size = random.int(1, Math.max(1, body.length - at))
    const chunk = body.subarray(at, at + size).toString('latin1')
    text += `${chunk.length.toString(16)}\r\n${chunk}\r\n`
    at += size
  }
  return `${text}0\r\n\r\n`
}
