import { passKinds } from '../../../src/core/call.ts'
import { showBytes } from '../findings.ts'
import { type Complaint, judgeOutcome } from '../oracle.ts'
import { createRandom, deriveSeed } from '../random.ts'
import { createRawClient, type Outcome, type RawAnswer } from '../raw-client.ts'
import type { Suite, Tried } from '../suite.ts'
import type { UpstreamScript } from '../upstream/draft.ts'
import { mutateAnswer } from '../upstream.ts'
import { findLoggedSecrets, watchLog } from '../watch-server.ts'
import { type TightCall, writeBurst } from './calls.ts'
import { judgeLimitHeaders } from './oracle.ts'
import { type keyKinds, type LimitsTarget, nameTight, startLimitsTarget } from './target.ts'

/** Longer than anything the configured timeouts allow, on a busy machine too. */
const answerLimitMs = 20_000

/** Bursts of calls to deployments and by keys that are short of something, with upstreams that answer well or do not. */
export async function openLimitsSuite(lanes: number): Promise<Suite> {
  const target = await startLimitsTarget(lanes)
  const readLog = watchLog(target)
  target.upstream.guard(listSecrets(target))

  async function tryCase(seed: number, lane: number, keep?: ReadonlySet<number>): Promise<Tried> {
    const burst = writeBurst(seed, target, lane)
    const sent = burst.filter((_, i) => !keep || keep.has(i))
    const random = createRandom(seed ^ 0x11f)
    const draw = random.next()
    if (draw < 0.3) target.upstream.plan(lane, (question) => mutateAnswer(deriveSeed(seed, 99), question))
    const isDeserted = draw > 0.85
    if (isDeserted) target.upstream.plan(lane, (question) => stallHalfway(mutateAnswer(seed, question, new Set())))
    const outcomes = await Promise.all(
      sent.map(({ request }) => sendAlone(target, isDeserted ? { ...request, leave: 'after-request' } : request)),
    )
    target.upstream.plan(lane, undefined)
    const complaints = outcomes.flatMap((outcome, i) => judgeCall(target, sent[i] as TightCall, outcome, lane))
    const toUpstream = target.upstream.takeComplaints(lane)
    return {
      complaints: [...complaints, ...toUpstream.map((detail) => ({ name: 'a bad request to the upstream', detail }))],
      ends: outcomes.map(endOf),
      names: burst.map(({ name }) => name),
      input: sent.map(({ name, request }) => `${name}:\n${showBytes(Buffer.concat(request.bytes))}`).join('\n'),
      seen: outcomes
        .map((outcome) => (outcome.kind === 'answer' ? show(outcome.answer) : JSON.stringify(outcome)))
        .join('\n\n'),
    }
  }

  return {
    kind: 'limits',
    lanes,
    tryCase,
    look: () =>
      target.isAlive()
        ? readLog()
        : [...readLog(), { name: 'the server is gone', detail: target.errors().slice(-3000) }],
    async finish() {
      if (!target.isAlive()) return []
      const slots = await Promise.all(Array.from({ length: lanes }, (_, lane) => judgeSlot(target, lane)))
      const ends = [...(await judgeBudgets(target)), ...(await judgeUsage(target))]
      return [...slots.flat(), ...ends, ...readLog(), ...findLoggedSecrets(target.errors(), listSecrets(target))]
    },
    close: () => target.stop(),
  }
}

function listSecrets({ key, managementCredential, namedKeys }: LimitsTarget): string[] {
  return [key, managementCredential, ...Object.values(namedKeys).flat()]
}

/** An answer that is not over when its caller goes. */
function stallHalfway(script: UpstreamScript): UpstreamScript {
  const whole = Buffer.concat(script.pieces)
  return { ...script, pieces: [whole.subarray(0, whole.length >> 1)], ending: 'stall' }
}

async function sendAlone({ port }: Pick<LimitsTarget, 'port'>, request: TightCall['request']): Promise<Outcome> {
  const client = createRawClient(port)
  try {
    return await client.send(request, answerLimitMs)
  } finally {
    client.close()
  }
}

function judgeCall(target: LimitsTarget, call: TightCall, outcome: Outcome, lane: number): Complaint[] {
  const { route, request, isPlain, key, deployment } = call
  const kind = route.call?.kind
  const isPassed = kind !== undefined && (passKinds as readonly string[]).includes(kind)
  const found = judgeOutcome(outcome, {
    surface: isPlain ? route.surface : undefined,
    isUpstreamWell: false,
    isAnswerDue: request.isFramed,
    isOwnStream: false,
    isPassed,
    secrets: listSecrets(target),
  })
  if (outcome.kind !== 'answer') return found
  const { answer } = outcome
  found.push(...judgeLimitHeaders(answer))
  const note = (name: string): void => void found.push({ name, detail: show(answer) })
  if (!isPlain) return found
  const { status, headers } = answer
  if (key === 'revoked') {
    if (status !== 401) note(`a revoked key gets ${status}`)
    return found
  }
  if (status === 401) note(`the key ${key ?? 'of the resource'} is refused`)
  if (key === 'narrow') {
    const hidden = nameTight('hidden', lane)
    if (headers['x-ms-deployment-name'] === hidden) note('a key gets what it may not use')
    const isNamed = deployment === 'hidden' || Buffer.concat(request.bytes).toString('latin1').includes(hidden)
    if (!isNamed && show(answer).includes('hidden')) note('a key is told of what it may not use')
  }
  if (status === 200 && (deployment === 'paused' || deployment === 'batch')) note(`a ${deployment} deployment answers`)
  if (
    headers['x-ms-spillover-from-deployment'] === headers['x-ms-deployment-name'] &&
    headers['x-ms-deployment-name'] !== undefined
  )
    note('a call spills over to where it was')
  return found
}

/** With nobody else there, a call to a deployment that takes one at a time is let in: nobody holds its slot any more. */
async function judgeSlot(target: LimitsTarget, lane: number): Promise<Complaint[]> {
  for (let attempt = 1; ; attempt++) {
    const { answer, complaints } = await ask(target, nameTight('slot', lane), target.key, 1)
    if (!answer) return complaints
    if (answer.status === 200) return complaints
    // What its upstream did wrong opens its breaker, which says when to come again.
    const waitMs = Number(answer.headers['retry-after-ms'])
    if (answer.status !== 503 || !(waitMs > 0) || attempt > 5)
      return [...complaints, { name: `the slot is not free at the end (${answer.status})`, detail: show(answer) }]
    await new Promise((resolve) => setTimeout(resolve, waitMs))
  }
}

type Budget = { readonly key: string; readonly unit: string; readonly limit: number; readonly spent: number }

/** What is spent is no less than nothing, and a refusal tells no more as used or held than what is spent. */
async function judgeBudgets(target: LimitsTarget): Promise<Complaint[]> {
  const { value } = (await target.show('/management/budgets')) as { value: Budget[] }
  const found: Complaint[] = []
  for (const budget of value) {
    const { key, unit, limit, spent } = budget
    if (!(spent >= 0))
      found.push({ name: 'a budget of which less than nothing is spent', detail: JSON.stringify(budget) })
    const secret = target.namedKeys[key as (typeof keyKinds)[number]][0] as string
    const { answer } = await ask(target, nameTight('priced', 0), secret, 5000, 128)
    const told = /\. ([\d.e+-]+)(?: tokens| of cost) are used or held/.exec(answer?.body.toString() ?? '')
    if (!answer || !told) {
      found.push({
        name: `a call over the ${unit} budget is not refused`,
        detail: `${limit}: ${answer ? show(answer) : ''}`,
      })
    } else if (Math.abs(Number(told[1]) - spent) > 1e-6) {
      found.push({
        name: `something of the ${unit} budget is held at the end`,
        detail: `${told[0]}, ${spent} are spent`,
      })
    }
  }
  return found
}

async function judgeUsage(target: LimitsTarget): Promise<Complaint[]> {
  const { value } = (await target.show('/management/usage?groupBy=deployment,key')) as {
    value: Record<string, unknown>[]
  }
  const found: Complaint[] = []
  for (const row of value) {
    const isSound = Object.entries(row).every(
      ([name, part]) =>
        typeof part === 'string' || ((part as number) >= 0 && (name === 'cost' || Number.isSafeInteger(part))),
    )
    if (!isSound) found.push({ name: 'usage that is no count', detail: JSON.stringify(row) })
    if ((row.failed as number) + (row.refused as number) > (row.requests as number))
      found.push({ name: 'more failed and refused than there were', detail: JSON.stringify(row) })
  }
  return found
}

async function ask(
  target: LimitsTarget,
  model: string,
  key: string,
  maxTokens: number,
  n = 1,
): Promise<{ readonly answer: RawAnswer | undefined; readonly complaints: Complaint[] }> {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], max_tokens: maxTokens, n })
  const head = `POST /openai/v1/chat/completions HTTP/1.1\r\nHost: localhost\r\napi-key: ${key}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  const outcome = await sendAlone(target, { bytes: [Buffer.from(head + body)], isHead: false, isFramed: true })
  if (outcome.kind === 'answer') return { answer: outcome.answer, complaints: judgeLimitHeaders(outcome.answer) }
  return {
    answer: undefined,
    complaints: [{ name: `a call at the end: ${outcome.kind}`, detail: JSON.stringify(outcome) }],
  }
}

function endOf(outcome: Outcome): string {
  return outcome.kind === 'answer' ? String(outcome.answer.status) : outcome.kind
}

function show({ head, body }: RawAnswer): string {
  return `${head}\n\n${body.toString().slice(0, 1500)}`
}
