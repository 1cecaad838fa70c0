import { mutateJson } from '../json-text.ts'
import { createRandom, deriveSeed, type Random } from '../random.ts'
import type { RawRequest } from '../raw-client.ts'
import { bodyMutations } from '../request/content-mutations.ts'
import { type RequestDraft, render } from '../request/draft.ts'
import { headerMutations } from '../request/header-mutations.ts'
import { pathMutations } from '../request/path-mutations.ts'
import { pickArmRequest } from './arm-requests.ts'
import {
  deploymentDocument,
  deploymentNames,
  keyDocument,
  keyNames,
  knownFields,
  oddNames,
  poolNames,
  quotaDocument,
  resourceDocument,
  resourceNames,
} from './documents.ts'
import { knownFilterFields } from './filter-documents.ts'
import { pickFilterRequest } from './filter-requests.ts'

/** What a case may know of the server. */
export type Known = {
  readonly credential: string
  readonly resourceKey: string
  readonly namedKey: string
  readonly upstreamPort: number
  /** Etags by path, as they are when the case begins. */
  readonly etags: ReadonlyMap<string, string>
}

export type ManageCase = {
  readonly request: RawRequest
  readonly draft: RequestDraft
  readonly hasCredential: boolean
  readonly names: readonly string[]
}

type Part = { readonly name: string; apply(draft: RequestDraft): void }

const count = (random: Random): number => (random.chance(0.1) ? 0 : random.chance(0.6) ? 1 : random.int(2, 4))

/** The mutated request of `seed`. `keep` names the mutations, by their place, that are applied; all when absent. */
export function mutateManagement(seed: number, known: Known, keep?: ReadonlySet<number>): ManageCase {
  const random = createRandom(seed)
  const draft = pickRequest(random, known)
  const parts: Part[] = []
  for (let i = 0, all = count(random); i < all; i++) {
    const own = createRandom(deriveSeed(seed, i))
    parts.push(pickPart(draft, own, known))
  }
  const who = random.chance(0.12) ? pickStranger(random, known) : undefined
  if (who) parts.push(who)
  parts.forEach((part, i) => {
    if (!keep || keep.has(i)) part.apply(draft)
  })
  return {
    request: render(draft, random),
    draft,
    hasCredential: draft.headers.some(
      ([name, value]) => /^authorization$/i.test(name) && value.includes(known.credential),
    ),
    names: parts.map(({ name }) => name),
  }
}

function pickRequest(random: Random, known: Known): RequestDraft {
  if (random.chance(0.45)) {
    const { method, path, query = '', value } = pickFilterRequest(random)
    return withQuery(draftOf(method, path, known, value), query)
  }
  if (random.chance(0.25)) return pickResourceRequest(random, known)
  if (random.chance(0.4)) {
    const { method, path, query, value } = pickArmRequest(random, known.upstreamPort)
    return withQuery(draftOf(method, path, known, value), query)
  }
  const draw = random.next()
  const withBody = (method: string, path: string, value: unknown): RequestDraft => draftOf(method, path, known, value)
  const bare = (method: string, path: string): RequestDraft => draftOf(method, path, known)
  const deployment = `/management/deployments/${pickName(deploymentNames, random)}`
  const key = `/management/named-keys/${pickName(keyNames, random)}`
  const pool = `/management/quota/${pickName(poolNames, random)}`
  if (draw < 0.3) return withBody('PUT', deployment, deploymentDocument(known.upstreamPort, random))
  if (draw < 0.42)
    return withBody('PATCH', deployment, pickPatch(deploymentDocument(known.upstreamPort, random), random))
  if (draw < 0.52) return withBody('PUT', key, keyDocument(random))
  if (draw < 0.58) return withBody('PATCH', key, pickPatch(keyDocument(random), random))
  if (draw < 0.66) return withBody('PUT', pool, quotaDocument)
  if (draw < 0.7) return withBody('POST', `${key}/rotate`, { overlapSeconds: random.pick([0, 60, 2_592_000]) })
  if (draw < 0.72) return bare('POST', `${key}/${random.pick(['rotate', 'revoke'])}`)
  if (draw < 0.77) return bare('POST', `${deployment}/${random.pick(['pause', 'resume'])}`)
  if (draw < 0.83) return bare('DELETE', random.pick([deployment, key, pool]))
  if (draw < 0.93) return withQuery(bare('GET', '/management/usage'), usageQuery(random))
  if (draw < 0.95) return bare('GET', `/management/models/${pickName(['gpt-4o', 'ACME-LARGE', 'gpt-4'], random)}`)
  return bare(
    'GET',
    random.pick([
      deployment,
      key,
      pool,
      `${deployment}/upgrade`,
      '/management/models',
      '/management/status',
      '/management/budgets',
      '/management/keys',
      '/management/quota',
      '/management/named-keys',
    ]),
  )
}

/** To resources themselves, and to what is in one that is not the server's own. */
function pickResourceRequest(random: Random, known: Known): RequestDraft {
  const resource = `/management/resources/${pickName(resourceNames, random)}`
  const deleted = `/management/deleted-resources/${pickName(['gone-team', 'GONE-team', 'base-team'], random)}`
  const inner = `${resource}/deployments/${pickName(['base-inner', 'BASE-INNER', 'base-plain', 'new-one'], random)}`
  const draw = random.next()
  if (draw < 0.25) return draftOf('PUT', resource, known, resourceDocument(random))
  if (draw < 0.4) return draftOf('PATCH', resource, known, pickPatch(resourceDocument(random), random))
  if (draw < 0.5) return draftOf('DELETE', random.pick([resource, '/management/resources/ponto', deleted]), known)
  if (draw < 0.6) return draftOf('POST', `${deleted}/restore`, known)
  if (draw < 0.75) return draftOf('PUT', inner, known, deploymentDocument(known.upstreamPort, random))
  if (draw < 0.8) return draftOf(random.pick(['DELETE', 'GET']), inner, known)
  const below = random.pick([
    'keys',
    'named-keys',
    'status',
    'usage',
    'quota',
    'resources',
    'rai-policies',
    '',
    'x/y/z',
  ])
  const lists = ['/management/resources', '/management/deleted-resources', resource, deleted, `${resource}/${below}`]
  return draftOf('GET', random.pick(lists), known)
}

const pickName = (names: readonly string[], random: Random): string =>
  random.pick(random.chance(0.9) ? names : oddNames)

function draftOf(method: string, path: string, known: Known, value?: unknown): RequestDraft {
  return {
    method,
    path,
    query: '',
    headers: [
      ['Host', 'localhost'],
      ['Authorization', `Bearer ${known.credential}`],
      ...(value === undefined ? [] : [['Content-Type', 'application/json'] as [string, string]]),
    ],
    value,
    body: undefined,
    isForm: false,
    framing: 'length',
    length: undefined,
    bodyEdits: [],
    chunkEdits: [],
    wireEdits: [],
    isFramed: true,
    isPathKnown: true,
    leave: undefined,
  }
}

function withQuery(draft: RequestDraft, query: string): RequestDraft {
  draft.query = query
  return draft
}

/** Some of the fields of a document, one of them removed now and then. */
function pickPatch(document: Readonly<Record<string, unknown>>, random: Random): unknown {
  const entries = Object.entries(document).filter(() => random.chance(0.4))
  return Object.fromEntries(entries.map(([name, value]) => [name, random.chance(0.15) ? null : value]))
}

const times = [
  '2026-11-01',
  '2026-11-24T10:30:00Z',
  '2030-01-01T00:00:00+23:59',
  '0000-01-01',
  '9999-12-31T23:59:59-23:59',
  '2026-02-30',
  '2026-13-01',
  'now',
  '',
  '2026-11-01T25:00:00Z',
  '2026-11-01T00:00:00.123456789Z',
  '-271821-04-20',
  '+275760-09-13T00:00:00Z',
  '2026-11-01TxZ',
]
const groups = ['hour', 'day', 'month', 'deployment', 'model', 'key', 'hour,day', 'key,key', '', ',', 'x', '__proto__']

function usageQuery(random: Random): string {
  const fields: [string, string][] = []
  if (random.chance(0.5)) fields.push(['from', random.pick(times)])
  if (random.chance(0.5)) fields.push(['to', random.pick(times)])
  if (random.chance(0.7)) fields.push(['groupBy', random.pick([...groups, groups.slice(0, 6).join(',')])])
  if (random.chance(0.2))
    fields.push(['deployment', random.pick(['base-plain', '%00', 'x'.repeat(65), '', '%F0%9F%98%80'])])
  if (random.chance(0.2)) fields.push(['key', random.pick(['key1', 'base-key', "'--", '%ff', ''])])
  if (random.chance(0.1))
    fields.push(
      random.pick([
        ['dryRun', 'true'],
        ['from', '2026-01-01'],
        ['x', 'y'],
        ['__proto__', '1'],
      ]),
    )
  return fields.map(([name, value]) => `${name}=${random.chance(0.8) ? value.replace('+', '%2B') : value}`).join('&')
}

function pickPart(draft: RequestDraft, random: Random, known: Known): Part {
  const draw = random.next()
  const hasValue = draft.value !== undefined
  if (hasValue && draw < 0.35) {
    return part('value', (edited) => {
      edited.value = mutateJson(edited.value, random)
    })
  }
  if (hasValue && draw < 0.6) {
    const isFilters = /^\/management\/(rai|filter)/.test(draft.path)
    const [field, value] = random.pick(isFilters ? knownFilterFields : knownFields)
    return part(`field ${field}`, (edited) => {
      edited.value = setField(edited.value, field, value)
    })
  }
  if (hasValue && draw < 0.65) {
    const mutation = random.pick(bodyMutations)
    return part(mutation.name, (edited) => mutation.apply(edited, random, credentialsOf(known)))
  }
  if (draw < 0.78) return pickPrecondition(random, known)
  if (draw < 0.88) {
    const value = random.pick(['true', 'true', 'true', 'false', '', '1', 'True', 'true&dryRun=false'])
    return part('dryRun', (edited) => {
      edited.query += `${edited.query === '' ? '' : '&'}dryRun=${value}`
    })
  }
  const mutation = random.pick(random.chance(0.5) ? pathMutations : headerMutations)
  return part(mutation.name, (edited) => mutation.apply(edited, random, credentialsOf(known)))
}

/** Of an object, or of the last one of a list. */
function setField(document: unknown, field: string, value: unknown): unknown {
  if (!Array.isArray(document)) return { ...(document as object), [field]: value }
  return [...document.slice(0, -1), { ...(document.at(-1) as object | undefined), [field]: value }]
}

const part = (name: string, apply: (draft: RequestDraft) => void): Part => ({ name, apply })

function credentialsOf({ resourceKey, credential, upstreamPort }: Known) {
  return { key: resourceKey, managementCredential: credential, upstreamPort, lane: 0 }
}

function pickPrecondition(random: Random, known: Known): Part {
  const draw = random.next()
  const header = random.chance(0.75) ? 'If-Match' : 'If-None-Match'
  const odd = random.pick(['*', '"x"', 'W/"x"', '', ',', '"', '"a", *', 'x'.repeat(5000)])
  return part(`header ${header}`, (edited) => {
    const path = edited.path.toLowerCase().split('/').slice(0, 4).join('/')
    const etag = known.etags.get(path) ?? 'none'
    edited.headers.push([header, draw < 0.5 ? `"${etag}"` : draw < 0.6 ? `W/"${etag}"` : draw < 0.7 ? etag : odd])
  })
}

/** Somebody who is not the operator. */
function pickStranger(random: Random, { resourceKey, namedKey, credential }: Known): Part {
  const key = random.pick([resourceKey, namedKey])
  const headers = random.pick<[string, string][]>([
    [],
    [['Authorization', `Bearer ${key}`]],
    [['Authorization', `bearer  ${key} `]],
    [['api-key', key]],
    [['x-api-key', key]],
    [['api-key', credential]],
    [['Authorization', `Basic ${btoa(`x:${credential}`)}`]],
    [['Authorization', `Bearer ${credential.slice(0, -1)}`]],
    [['Authorization', `Bearer ${credential.toUpperCase()}x`]],
    [['Authorization', 'Bearer']],
    [
      ['Authorization', `Bearer ${key}`],
      ['api-key', key],
    ],
  ])
  return part('a stranger', (edited) => {
    edited.headers = [
      ...edited.headers.filter(([name]) => !/^(authorization|api-key|x-api-key)$/i.test(name)),
      ...headers,
    ]
  })
}
