import { presets, protocols } from '../../src/backend/presets.ts'
import { type CallKind, passKinds } from '../../src/core/call.ts'
import { judgeFiltered } from './filter/judge-answer.ts'
import { azureAsyncPolicy, type PolicyKind, plantedTerms, policyKinds, promptedEmail } from './filter/policies.ts'
import { showBytes } from './findings.ts'
import { type Complaint, judgeOutcome } from './oracle.ts'
import { createRandom, deriveSeed, type Random } from './random.ts'
import type { Outcome, RawAnswer, RawClient, RawRequest } from './raw-client.ts'
import { mutateRequest } from './requests.ts'
import { type FuzzRoute, inferenceRoutes } from './routes.ts'
import { type FuzzTarget, plannedDeployment } from './target.ts'
import type { UpstreamQuestion, UpstreamScript } from './upstream/draft.ts'
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
/** So that who filters has nothing to do with what is asked and answered. */
const policySalt = 0xf11

/** A mutated request, whose upstream is well. Its policy may be another one, which a header chooses. */
export async function tryRequest(place: TrialPlace, seed: number, keep?: ReadonlySet<number>): Promise<Trial> {
  const { target, client, lane } = place
  const policy = createRandom(deriveSeed(seed, policySalt)).pick(policyKinds)
  const credentials = { ...target, upstreamPort: target.upstream.port, lane, policy }
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
  const expected = { policy, isPlanted: false, hasForeignResults: false, isJson: false }
  const filtered = outcome.kind === 'answer' && surface !== undefined ? judgeFiltered(outcome.answer, expected) : []
  return {
    complaints: [...complaints, ...filtered, ...sent],
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
    const isSameWire = end?.wire === wire || (protocol === 'openai' && wire === 'openai-responses')
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
  const filter = drawFilter(seed, call.kind)
  const { policy } = filter
  const model = plannedDeployment(lane, protocol, policy)
  let script: UpstreamScript | undefined
  let question: UpstreamQuestion | undefined
  target.upstream.plan(lane, (asked) => {
    question = asked
    script = mutateAnswer(seed, asked, keep, filter.isPlanted)
    return script
  })
  const request = writeRequest(target, crossing, model, random, filter)
  const outcome = await client.send(request, answerLimitMs)
  target.upstream.plan(lane, undefined)
  const complaints = judgeOutcome(outcome, {
    surface: route.surface,
    isUpstreamWell: false,
    isAnswerDue: true,
    isOwnStream: !isSameWire || policy !== 'relay',
    isPassed: isPassed(call.kind),
    secrets: listSecrets(target, false),
  })
  const nonce = `nonce-${seed.toString(36)}`
  if (outcome.kind === 'answer') {
    complaints.push(...judgeFiltered(outcome.answer, describeAnswer(filter, script, question)))
    complaints.push(...judgePrompt(filter, outcome.answer, question))
  }
  const after = await askAgain(place, model, nonce, policy)
  const sent = target.upstream.takeComplaints(lane).map((detail) => ({ name: 'a bad request to the upstream', detail }))
  const names = script?.names ?? []
  const answer = script ? showBytes(Buffer.concat(script.pieces)) : '(not asked)'
  const how = script ? `, gap ${script.gapMs} ms, then ${script.ending}` : ''
  return {
    complaints: [...complaints, ...after, ...sent],
    outcome,
    names,
    input: `${applied(names, keep)}\n${route.method} ${route.path} by ${protocol}, policy ${policy}\n${showBytes(Buffer.concat(request.bytes))}\n--- the upstream${how}:\n${answer}`,
  }
}

type Filter = {
  readonly policy: PolicyKind
  /** Whether the answer holds what is to be kept back. */
  readonly isPlanted: boolean
  /** Whether the prompt does. */
  readonly isRefused: boolean
  /** Whether it holds something personal. */
  readonly isPersonal: boolean
  readonly random: Random
}

function drawFilter(seed: number, kind: CallKind): Filter {
  const random = createRandom(deriveSeed(seed, policySalt))
  const policy = random.pick(policyKinds)
  const isJudged = kind === 'chat' || kind === 'completion'
  const hasLists = isJudged && (policy === 'strict' || policy === 'async')
  const isRefused = hasLists && random.chance(0.08)
  const isPersonal = isJudged && policy === 'strict' && random.chance(0.3)
  return { policy, isRefused, isPersonal, isPlanted: hasLists && random.chance(0.65), random }
}

function describeAnswer(
  { policy, isPlanted }: Filter,
  script: UpstreamScript | undefined,
  question: UpstreamQuestion | undefined,
) {
  const bytes = script ? Buffer.concat(script.pieces).toString('latin1') : ''
  return {
    policy,
    isPlanted,
    // Written in another way it would be passed over.
    hasForeignResults: /filtered[^a-z]{1,8}true/.test(bytes) || /"content_filter"/.test(bytes),
    isJson: question?.isJson === true,
  }
}

/** What the prompt must not hold is refused, and what is personal in it is not told to the model. */
function judgePrompt(
  { policy, isRefused }: Filter,
  { status, head, body }: RawAnswer,
  question: UpstreamQuestion | undefined,
): Complaint[] {
  const detail = `${head}\n\n${body.toString().slice(0, 1500)}\n--- asked:\n${question?.body.toString().slice(0, 3000)}`
  const found: Complaint[] = []
  if (isRefused && status !== 400) found.push({ name: `a prompt that is to be kept back gets ${status}`, detail })
  if (isRefused && policy === 'strict' && question)
    found.push({ name: 'a prompt that is to be kept back gets to the model', detail })
  if (policy === 'strict' && question?.body.toString().includes(promptedEmail))
    found.push({ name: 'what is to be unreadable gets to the model', detail })
  return found
}

function writeRequest(
  target: FuzzTarget,
  { route, protocol }: Crossing,
  model: string,
  random: Random,
  filter: Filter,
): RawRequest {
  const { wire, kind, takesForm } = route.call as NonNullable<FuzzRoute['call']>
  const isStream = (kind === 'chat' || kind === 'completion') && random.chance(0.75)
  const isSimple = random.chance(0.7)
  const rich = { ...random.pick(richBodies(wire, kind)), model, ...(kind === 'chat' && { stream: isStream }) }
  const plain = isSimple ? simpleBody(wire, kind, model, 'Say something', isStream) : rich
  const body = plantInPrompt(plain, filter)
  const form = takesForm ? writeForm({ ...body, prompt: 'x' }, Buffer.alloc(2000, 9)) : undefined
  const bytes = form?.bytes ?? Buffer.from(JSON.stringify(body))
  const path = route.path.replace('{deployment}', model)
  const head = [
    `${route.method} ${path}${route.apiVersion ? '?api-version=2024-10-21' : ''} HTTP/1.1`,
    'Host: localhost',
    `api-key: ${target.key}`,
    `Content-Type: ${form?.contentType ?? 'application/json'}`,
    `Content-Length: ${bytes.length}`,
    ...headersOf(filter),
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

/** Something personal, and where the prompt is to be refused something of a blocklist, in one of the places that are judged. */
function plantInPrompt(body: Readonly<Record<string, unknown>>, filter: Filter): Readonly<Record<string, unknown>> {
  const { isRefused, isPersonal, random } = filter
  if (!isRefused && !isPersonal) return body
  const texts = [...(isRefused ? [random.pick(plantedTerms)] : []), ...(isPersonal ? [promptedEmail] : [])]
  const content = `Tell me of ${texts.join(' and ')} .`
  const { messages, input } = body
  if (input !== undefined) {
    const before = Array.isArray(input) ? input : [{ role: 'user', content: input }]
    return { ...body, input: [...before, { role: 'user', content: [{ type: 'input_text', text: content }] }] }
  }
  if (!Array.isArray(messages)) return { ...body, prompt: content }
  const parts = [
    { type: 'text', text: content.slice(0, 15) },
    { type: 'text', text: content.slice(15) },
  ]
  // A text that is two parts is read as one, and made unreadable part by part.
  const isSplit = !isPersonal && random.chance(0.3)
  return { ...body, messages: [...messages, { role: 'user', content: isSplit ? parts : content }] }
}

function headersOf({ policy, random }: Filter): string[] {
  const chosen = policy === 'async' && random.chance(0.3) ? [`x-policy-id: ${azureAsyncPolicy}`] : []
  return policy !== 'relay' && random.chance(0.2) ? [...chosen, 'x-content-filter-explain: true'] : chosen
}

/**
 * What an upstream once sent must not reach the next caller, by way of a connection that is used again, nor keep it from its
 * answer. It also closes the breaker, which five failures in a row would open.
 */
async function askAgain(
  { target, client }: TrialPlace,
  model: string,
  nonce: string,
  policy: PolicyKind,
): Promise<Complaint[]> {
  // What the model got to see in its place has to be put back.
  const content = policy === 'strict' ? `${nonce} ${promptedEmail}` : nonce
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }] })
  const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: ${target.key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const request = { bytes: [Buffer.from(head + body)], isHead: false, isFramed: true }
  for (let attempt = 1; ; attempt++) {
    const outcome = await client.send(request, answerLimitMs)
    if (outcome.kind === 'answer') {
      const { status, body: text, head: answerHead } = outcome.answer
      if (status === 200 && text.includes(`"${content}"`)) return []
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
