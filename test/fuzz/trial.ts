import { presets, protocols } from '../../src/backend/presets.ts'
import { type CallKind, passKinds } from '../../src/core/call.ts'
import { showBytes } from './findings.ts'
import { type Complaint, judgeOutcome } from './oracle.ts'
import { createRandom, type Random } from './random.ts'
import type { Outcome, RawClient, RawRequest } from './raw-client.ts'
import { mutateRequest } from './requests.ts'
import { type FuzzRoute, inferenceRoutes } from './routes.ts'
import { type FuzzTarget, plannedDeployment } from './target.ts'
import type { UpstreamScript } from './upstream/draft.ts'
import { mutateAnswer } from './upstream.ts'
import { richBodies, simpleBody, writeForm } from './valid-bodies.ts'

/** Where a case is tried: each lane has a connection and deployments of its own. */
export type TrialPlace = { readonly target: FuzzTarget; readonly client: RawClient; readonly lane: number }

export type Trial = {
  readonly complaints: readonly Complaint[]
  readonly outcome: Outcome
  /** The mutations, for people. */
  readonly names: readonly string[]
  readonly input: string
}

/** Longer than anything the configured timeouts allow, on a busy machine too. */
const answerLimitMs = 15_000

/** A mutated request, whose upstream is well. */
export async function tryRequest(place: TrialPlace, seed: number, keep?: ReadonlySet<number>): Promise<Trial> {
  const { target, client, lane } = place
  const credentials = { ...target, upstreamPort: target.upstream.port, lane }
  const made = mutateRequest(seed, credentials, keep)
  const { request, route, surface, names } = made
  const outcome = await client.send(request, answerLimitMs)
  const complaints = judgeOutcome(outcome, {
    surface,
    isUpstreamWell: true,
    isAnswerDue: request.isFramed,
    isOwnStream: false,
    isPassed: route.call !== undefined && isPassed(route.call.kind),
    secrets: listSecrets(target, route.surface === 'management'),
  })
  const sent = target.upstream.takeComplaints(lane).map((detail) => ({ name: 'a bad request to the upstream', detail }))
  return {
    complaints: [...complaints, ...sent],
    outcome,
    names,
    input: `${applied(names, keep)}\n${showBytes(Buffer.concat(request.bytes))}`,
  }
}

type Crossing = {
  readonly route: FuzzRoute
  readonly protocol: (typeof protocols)[number]
  readonly isSameWire: boolean
}

const isPassed = (kind: CallKind): boolean => (passKinds as readonly CallKind[]).includes(kind)

/** Every route with every protocol that can answer it. */
const crossings: readonly Crossing[] = inferenceRoutes.flatMap((route) =>
  protocols.flatMap((protocol) => {
    const { wire, kind } = route.call as NonNullable<FuzzRoute['call']>
    const ends: Partial<Record<CallKind, { readonly wire: string }>> = presets[protocol].clientEnds
    const end = ends[kind]
    const isSameWire = end?.wire === wire
    return end && (isSameWire || !isPassed(kind)) ? [{ route, protocol, isSameWire }] : []
  }),
)
const chatCrossings = crossings.filter(({ route }) => route.call?.kind === 'chat')

/** A valid request whose upstream gives a mutated answer, and then one that has to be answered as if nothing had been. */
export async function tryStream(place: TrialPlace, seed: number, keep?: ReadonlySet<number>): Promise<Trial> {
  const { target, client, lane } = place
  const random = createRandom(seed)
  const crossing = random.pick(random.chance(0.7) ? chatCrossings : crossings)
  const { route, protocol, isSameWire } = crossing
  const call = route.call as NonNullable<FuzzRoute['call']>
  const model = plannedDeployment(lane, protocol)
  let script: UpstreamScript | undefined
  target.upstream.plan(lane, (question) => {
    script = mutateAnswer(seed, question, keep)
    return script
  })
  const request = writeRequest(target, crossing, model, random)
  const outcome = await client.send(request, answerLimitMs)
  target.upstream.plan(lane, undefined)
  const complaints = judgeOutcome(outcome, {
    surface: route.surface,
    isUpstreamWell: false,
    isAnswerDue: true,
    isOwnStream: !isSameWire,
    isPassed: isPassed(call.kind),
    secrets: listSecrets(target, false),
  })
  const nonce = `nonce-${seed.toString(36)}`
  const after = await askAgain(place, model, nonce)
  const sent = target.upstream.takeComplaints(lane).map((detail) => ({ name: 'a bad request to the upstream', detail }))
  const names = script?.names ?? []
  const answer = script ? showBytes(Buffer.concat(script.pieces)) : '(not asked)'
  const how = script ? `, gap ${script.gapMs} ms, then ${script.ending}` : ''
  return {
    complaints: [...complaints, ...after, ...sent],
    outcome,
    names,
    input: `${applied(names, keep)}\n${route.method} ${route.path} by ${protocol}\n${showBytes(Buffer.concat(request.bytes))}\n--- the upstream${how}:\n${answer}`,
  }
}

function writeRequest(target: FuzzTarget, { route, protocol }: Crossing, model: string, random: Random): RawRequest {
  const { wire, kind, takesForm } = route.call as NonNullable<FuzzRoute['call']>
  const isStream = (kind === 'chat' || kind === 'completion') && random.chance(0.75)
  const isSimple = random.chance(0.7)
  const rich = { ...random.pick(richBodies(wire, kind)), model, ...(kind === 'chat' && { stream: isStream }) }
  const body = isSimple ? simpleBody(wire, kind, model, 'Say something', isStream) : rich
  const form = takesForm ? writeForm({ ...body, prompt: 'x' }, Buffer.alloc(2000, 9)) : undefined
  const bytes = form?.bytes ?? Buffer.from(JSON.stringify(body))
  const path = route.path.replace('{deployment}', model)
  const head = [
    `${route.method} ${path}${route.apiVersion ? '?api-version=2024-10-21' : ''} HTTP/1.1`,
    'Host: localhost',
    `api-key: ${target.key}`,
    `Content-Type: ${form?.contentType ?? 'application/json'}`,
    `Content-Length: ${bytes.length}`,
    // Keys that this API does not know are for the model.
    ...(wire.startsWith('azure-inference') && protocol === 'foundry' ? [] : ['extra-parameters: pass-through']),
  ]
  return {
    bytes: [Buffer.from(`${head.join('\r\n')}\r\n\r\n`), bytes],
    isHead: false,
    isFramed: true,
    leave: random.chance(0.03) ? 'after-first-byte' : undefined,
  }
}

/**
 * What an upstream once sent must not reach the next caller, by way of a connection that is used again, nor keep it from its
 * answer. It also closes the breaker, which five failures in a row would open.
 */
async function askAgain({ target, client }: TrialPlace, model: string, nonce: string): Promise<Complaint[]> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: nonce }] })
  const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: ${target.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const request = { bytes: [Buffer.from(head + body)], isHead: false, isFramed: true }
  for (let attempt = 1; ; attempt++) {
    const outcome = await client.send(request, answerLimitMs)
    if (outcome.kind === 'answer') {
      const { status, body: text, head: answerHead } = outcome.answer
      if (status === 200 && text.includes(`"${nonce}"`)) return []
      // On a busy machine even a healthy upstream may be late.
      if (status === 504 && attempt < 4) continue
      return [
        { name: `the next call suffers (${status})`, detail: `${answerHead}\n\n${text.toString().slice(0, 1000)}` },
      ]
    }
    return [{ name: `the next call suffers (${outcome.kind})`, detail: JSON.stringify(outcome) }]
  }
}

/** Keys are shown to who manages the server, everything else to nobody. */
function listSecrets({ key, managementCredential }: FuzzTarget, isManagement: boolean): string[] {
  return [managementCredential, ...(isManagement ? [] : [key])]
}

function applied(names: readonly string[], keep: ReadonlySet<number> | undefined): string {
  const kept = names.filter((_, i) => !keep || keep.has(i))
  return `mutations: ${kept.length > 0 ? kept.join(', ') : 'none'}`
}
