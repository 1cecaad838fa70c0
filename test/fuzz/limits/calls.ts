import { presets } from '../../../src/backend/presets.ts'
import { type CallKind, passKinds } from '../../../src/core/call.ts'
import { createRandom, deriveSeed, type Random } from '../random.ts'
import type { RawRequest } from '../raw-client.ts'
import { valueMutations } from '../request/content-mutations.ts'
import { draftOf, type RequestDraft, render } from '../request/draft.ts'
import { headerMutations } from '../request/header-mutations.ts'
import { type FuzzRoute, inferenceRoutes } from '../routes.ts'
import { goodDeployment } from '../target.ts'
import { simpleBody } from '../valid-bodies.ts'
import { type KeyKind, keyKinds, type LimitsTarget, nameTight, type TightName, tightDeployments } from './target.ts'

export type TightCall = {
  readonly request: RawRequest
  readonly route: FuzzRoute
  readonly deployment: TightName
  /** undefined: the resource's own key. */
  readonly key: KeyKind | undefined
  /** Whether only what was planned was changed, so that it is known who calls what. */
  readonly isPlain: boolean
  readonly name: string
}

const ends: Partial<Record<CallKind, { readonly wire: string }>> = presets.openai.clientEnds

/** What an upstream of this protocol can answer. */
const routes = inferenceRoutes.filter(({ call }) => {
  const end = call && ends[call.kind]
  return end && (end.wire === call.wire || !(passKinds as readonly CallKind[]).includes(call.kind))
})
const chatRoutes = routes.filter(({ call }) => call?.kind === 'chat')

const takenKeys = keyKinds.filter((kind) => kind !== 'revoked')

/** Where a call that is not over keeps others out. */
const oneAtOnce: readonly TightName[] = ['slot', 'open']

/** Some calls that go out at once. */
export function writeBurst(seed: number, target: LimitsTarget, lane: number): readonly TightCall[] {
  const random = createRandom(seed)
  const count = random.chance(0.4) ? 1 : random.int(2, 6)
  // Mostly to one deployment, so that they are in each other's way.
  const shared = random.pick(random.chance(0.2) ? oneAtOnce : tightDeployments)
  return Array.from({ length: count }, (_, i) => writeCall(createRandom(deriveSeed(seed, i)), target, lane, shared))
}

function writeCall(random: Random, target: LimitsTarget, lane: number, shared: TightName): TightCall {
  const route = random.pick(random.chance(0.8) ? chatRoutes : routes)
  const deployment = random.chance(0.8) ? shared : random.pick(tightDeployments)
  const key = random.chance(0.4) ? undefined : random.pick(random.chance(0.9) ? takenKeys : keyKinds)
  const secret = key ? random.pick(target.namedKeys[key]) : target.key
  const draft = redirect(draftOf(route, random, { ...target, key: secret, upstreamPort: 0, lane }), lane, deployment)
  const parts = [deployment, key ?? 'own key', route.path]
  const { wire, kind } = route.call as NonNullable<FuzzRoute['call']>
  if (draft.value && random.chance(0.6))
    draft.value = simpleBody(wire, kind, nameTight(deployment, lane), 'Say it', false)
  if (wire.startsWith('azure-inference')) draft.headers.push(['extra-parameters', 'pass-through'])
  setSpillover(draft, random, lane, key)
  setAmounts(draft, random)
  const isPlain = random.chance(0.75)
  if (!isPlain) {
    const group = draft.value !== undefined && random.chance(0.7) ? valueMutations : headerMutations
    const fitting = group.filter(({ fits }) => !fits || fits(draft))
    const mutation = random.pick(fitting)
    mutation.apply(draft, random, { ...target, key: secret, upstreamPort: 0, lane })
    parts.push(mutation.name)
  }
  if (random.chance(0.12)) draft.leave = random.pick(['after-request', 'after-first-byte'])
  return { request: render(draft, random), route, deployment, key, isPlain, name: parts.join(' ') }
}

/** From the deployment that the draft was made for to a tight one. */
function redirect(draft: RequestDraft, lane: number, deployment: TightName): RequestDraft {
  const name = nameTight(deployment, lane)
  const given = /good\d\d-[a-z-]+/g
  draft.path = draft.path.replace(given, name)
  draft.headers = draft.headers.filter(([header]) => header !== 'extra-parameters')
  if (draft.value) draft.value = { ...draft.value, model: name }
  if (draft.body) draft.body = Buffer.from(draft.body.toString('latin1').replace(given, name), 'latin1')
  return draft
}

function setSpillover(draft: RequestDraft, random: Random, lane: number, key: KeyKind | undefined): void {
  if (key === 'narrow' && random.chance(0.5)) {
    draft.headers.push(['x-ms-spillover-deployment', nameTight('hidden', lane)])
    return
  }
  if (!random.chance(0.3)) return
  const target = random.pick([
    ...(['spare', 'tiny', 'hidden', 'open', 'paused', 'batch', 'loop-a'] as const).map((kind) => nameTight(kind, lane)),
    nameTight('spare', lane).toUpperCase(),
    'none',
    ' ',
    '\xe9',
    '__proto__',
    'x'.repeat(5000),
    goodDeployment(lane, 'openai'),
  ])
  draft.headers.push(['x-ms-spillover-deployment', target])
}

const tiers = ['auto', 'default', 'flex', 'priority', 'standard_only', 'scale', '', 'PRIORITY', null, 5, {}]
const lengths = [0, 1, 5, 50, 200, 1000, 5000, 100_000, 2 ** 31, 1e15, -1, 1.5, '10', null]

/** How much a call asks for, and how soon. */
function setAmounts(draft: RequestDraft, random: Random): void {
  if (draft.value === undefined) return
  const value = draft.value as Record<string, unknown>
  const more: Record<string, unknown> = {}
  const pickLength = (): unknown => random.pick(random.chance(0.75) ? lengths.slice(0, 6) : lengths)
  if (random.chance(0.3)) more.service_tier = random.pick(random.chance(0.8) ? tiers.slice(0, 5) : tiers)
  if (random.chance(0.6)) more[random.pick(['max_tokens', 'max_tokens', 'max_completion_tokens'])] = pickLength()
  if (random.chance(0.1)) more.n = random.pick([1, 2, 128, 0, 1e9])
  if (random.chance(0.1)) more.best_of = random.pick([1, 3, 20])
  if (random.chance(0.4)) more.stream = random.chance(0.7)
  if (random.chance(0.15)) more.stream_options = { include_usage: random.chance(0.5) }
  draft.value = { ...value, ...more }
}
