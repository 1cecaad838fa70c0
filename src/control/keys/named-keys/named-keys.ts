import { z } from 'zod'
import { Fault } from '../../../core/fault.ts'
import type { JsonObject } from '../../../core/json.ts'
import { parseDocument } from '../../../core/text/parse-document.ts'
import { hashKey } from '../../../policy/authenticate.ts'
import type { NamedKeyRow } from '../../../port/tables/access/named-keys/port.ts'
import type { ResourceTables } from '../../../port/tables/port.ts'
import type { DesiredState } from '../../../snapshot/desired-state.ts'
import { type NamedKey, type NamedKeySpec, readNamedKey, readNamedKeys } from '../../../snapshot/keys/named-key.ts'
import { createQueue } from '../../../snapshot/queue.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun, refuseDryRun } from '../../http/dry-run.ts'
import { refuseDocument } from '../../http/errors.ts'
import { mergePatch } from '../../http/merge-patch.ts'
import { checkPreconditions } from '../../http/preconditions.ts'
import { readJsonBody } from '../../http/read-body.ts'
import { acceptNamedKey } from './accept.ts'
import { viewNamedKey } from './view.ts'

export type NamedKeysOptions = {
  readonly tables: Pick<ResourceTables, 'namedKeys'>
  readonly state: DesiredState
  /** A new random secret. */
  makeKey(): string
  /** All named keys as they are now. */
  listNamedKeys(): readonly NamedKey[]
  /** All named keys as they are from now on; called before the answer goes out, so that what was revoked opens nothing after it. */
  onNamedKeysChanged(keys: readonly NamedKey[]): void
  /** Unix milliseconds. */
  now(): number
}

type Handler = (request: Request, name: string) => Promise<Answer>

const maxOverlapSeconds = 30 * 86_400

const rotationSchema = z.strictObject({ overlapSeconds: z.int().min(0).max(maxOverlapSeconds).default(0) })

/** Keys beside the resource's two. A secret is in the answer that made it and nowhere else. */
export function createNamedKeys(
  options: NamedKeysOptions,
): Record<'list' | 'show' | 'put' | 'patch' | 'remove' | 'rotate' | 'revoke', Handler> {
  const { state, makeKey, now } = options
  const table = options.tables.namedKeys
  const enqueue = createQueue()

  /**
   * Replaces what is stored under that name by what `edit` makes of it, one change after the other; what it throws refuses the change.
   * As a trial it gives what would be, and nothing changes.
   */
  function change(name: string, edit: (current: NamedKeyRow | undefined) => Draft, isTrial = false): Promise<NamedKey> {
    return enqueue(async () => {
      const current = await table.get(name)
      const { spec, ...secrets } = edit(current)
      const { name: _name, ...document } = spec
      const time = now()
      const row = { name: spec.name, document: document as JsonObject, ...secrets, createdAt: time, updatedAt: time }
      if (isTrial) return requireReadable({ etag: '', ...row, ...keptOf(current) })
      const stored = await table.put(row, current?.etag ?? null)
      if (!stored) throw changedElsewhere(name)
      const key = requireReadable(stored)
      announce(key.name, key)
      return key
    })
  }

  /** Puts the key in the place of the one of that name. */
  function announce(name: string, key: NamedKey | undefined): void {
    const wanted = name.toLowerCase()
    const others = options.listNamedKeys().filter((other) => other.name.toLowerCase() !== wanted)
    options.onNamedKeysChanged(key ? [...others, key] : others)
  }

  const answer = (status: number, key: NamedKey, secret?: string): Answer => ({
    status,
    body: viewNamedKey(key, now(), secret),
    headers: { etag: `"${key.etag}"` },
  })

  return {
    async list() {
      const { keys } = await readNamedKeys(table)
      return { status: 200, body: { value: keys.map((key) => viewNamedKey(key, now())) } }
    },
    async show(_request, name) {
      return answer(200, requireReadable(requireRow(await table.get(name), name)))
    },
    async put(request, name) {
      const document = await readJsonBody(request)
      const isTrial = isDryRun(request)
      let secret: string | undefined
      const edit = (current: NamedKeyRow | undefined): Draft => {
        checkPreconditions(request.headers, current, 'key')
        if (current) {
          refuseRevoked(current)
          return { ...secretsOf(current), spec: acceptNamedKey(document, current.name, state, specOf(current), now()) }
        }
        const spec = acceptNamedKey(document, name, state, undefined, now())
        secret = makeKey()
        return { spec, digest: hashKey(secret), previous: undefined, revokedAt: undefined }
      }
      const key = await change(name, edit, isTrial)
      return answer(secret === undefined ? 200 : 201, key, isTrial ? undefined : secret)
    },
    async patch(request, name) {
      const patch = await readJsonBody(request)
      const edit = (row: NamedKeyRow | undefined): Draft => {
        const current = requireRow(row, name)
        checkPreconditions(request.headers, current, 'key')
        refuseRevoked(current)
        const { spec } = requireReadable(current)
        const document = mergePatch(spec as unknown as JsonObject, patch)
        return { ...secretsOf(current), spec: acceptNamedKey(document, current.name, state, spec, now()) }
      }
      return answer(200, await change(name, edit, isDryRun(request)))
    },
    remove: (request, name) =>
      enqueue(async () => {
        const current = requireRow(await table.get(name), name)
        checkPreconditions(request.headers, current, 'key')
        if (isDryRun(request)) return { status: 204 }
        if (!(await table.delete(name, current.etag))) throw changedElsewhere(name)
        announce(name, undefined)
        return { status: 204 }
      }),
    async rotate(request, name) {
      refuseDryRun(request)
      const { overlapSeconds } = await readRotation(request)
      const secret = makeKey()
      const key = await change(name, (row) => {
        const current = requireRow(row, name)
        checkPreconditions(request.headers, current, 'key')
        refuseRevoked(current)
        const { spec } = requireReadable(current)
        refuseExpired(spec, now())
        const previous = { digest: current.digest, endsAt: now() + overlapSeconds * 1000 }
        return { spec, digest: hashKey(secret), previous, revokedAt: undefined }
      })
      return answer(200, key, secret)
    },
    async revoke(request, name) {
      refuseDryRun(request)
      const key = await change(name, (row) => {
        const current = requireRow(row, name)
        checkPreconditions(request.headers, current, 'key')
        const { spec } = requireReadable(current)
        return { ...secretsOf(current), spec, revokedAt: current.revokedAt ?? now() }
      })
      return answer(200, key)
    },
  }
}

type Draft = Pick<NamedKeyRow, 'digest' | 'previous' | 'revokedAt'> & { readonly spec: NamedKeySpec }

function secretsOf({ digest, previous, revokedAt }: NamedKeyRow): Omit<Draft, 'spec'> {
  return { digest, previous, revokedAt }
}

/** What a write leaves as it is, or is the first to make. */
function keptOf(current: NamedKeyRow | undefined): Partial<Pick<NamedKeyRow, 'name' | 'etag' | 'createdAt'>> {
  return current ? { name: current.name, etag: current.etag, createdAt: current.createdAt } : {}
}

/** What the key was allowed before, as far as it can be read: a replacement mends what cannot. */
function specOf(row: NamedKeyRow): NamedKeySpec | undefined {
  const reading = readNamedKey(row)
  return 'key' in reading ? reading.key.spec : undefined
}

function requireRow(row: NamedKeyRow | undefined, name: string): NamedKeyRow {
  if (row) return row
  const isResourceKey = /^key[12]$/i.test(name)
  const way = isResourceKey
    ? "It is the resource's own: GET /management/keys."
    : 'GET /management/named-keys lists those there are.'
  throw new Fault('not-found', `There is no named key ${JSON.stringify(name)}. ${way}`)
}

function requireReadable(row: NamedKeyRow): NamedKey {
  const reading = readNamedKey(row)
  if ('key' in reading) return reading.key
  throw new Fault('state-unusable', reading.warning)
}

function refuseRevoked({ name, revokedAt }: NamedKeyRow): void {
  if (revokedAt === undefined) return
  throw new Fault(
    'conflict',
    `The key "${name}" was revoked on ${new Date(revokedAt).toISOString()}, and that is final. Delete it to make another of that name.`,
    { vendorCode: 'KeyRevoked' },
  )
}

function refuseExpired({ name, expiresAt }: NamedKeySpec, now: number): void {
  if (expiresAt === undefined || Date.parse(expiresAt) > now) return
  throw new Fault('conflict', `The key "${name}" expired on ${expiresAt}. Set a later expiresAt first.`, {
    vendorCode: 'KeyExpired',
  })
}

function changedElsewhere(name: string): Fault {
  return new Fault('conflict', `The key "${name}" was changed by another process at the same time. Try again.`)
}

/** The body may be left away. */
async function readRotation(request: Request): Promise<z.output<typeof rotationSchema>> {
  const isEmpty = request.body === null || request.headers.get('content-length') === '0'
  const parsed = parseDocument(rotationSchema, isEmpty ? {} : await readJsonBody(request))
  if ('problems' in parsed) throw refuseDocument(parsed.problems)
  return parsed.data
}
