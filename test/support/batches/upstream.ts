import { json, type Step, startFakeUpstream } from '../fake-upstream.ts'

/** An upstream that answers most lines at once, and troubles the others. */
export type UnevenUpstream = {
  readonly url: string
  /** How often it was asked for each custom id. */
  readonly asked: Map<string, number>
  /** While set, answers are held back until it resolves. */
  hold: Promise<unknown> | undefined
  stop(): Promise<void>
}

/** What it always refuses, so that it stands in the error file: every so-many-th line of an input. */
const refusedEvery = 97

/** Prompts that begin so are always answered well, and at once. */
export const calmPrefix = 'calm'

export function isRefused(customId: string): boolean {
  return Number(customId.slice(customId.lastIndexOf('-') + 1)) % refusedEvery === 0
}

export const answerOf = (customId: string): string => `answer to ${customId}`

export async function startUnevenUpstream(random: () => number = Math.random): Promise<UnevenUpstream> {
  const upstream = await startFakeUpstream()
  const asked = new Map<string, number>()
  const uneven: UnevenUpstream = { url: upstream.url, asked, hold: undefined, stop: upstream.stop }
  upstream.respond(({ body }) => {
    // It remembers them all, and there are many.
    upstream.requests.length = 0
    const customId = /"content":"([\w-]+)/.exec(body)?.[1] ?? ''
    // Callers who are no batch have no troubles, and are not held back.
    if (customId.startsWith(calmPrefix)) return answer(customId, 1)
    asked.set(customId, (asked.get(customId) ?? 0) + 1)
    const steps = answer(customId, random())
    return uneven.hold ? [{ do: 'until', promise: uneven.hold }, ...steps] : steps
  })
  return uneven
}

function answer(customId: string, chance: number): readonly Step[] {
  const error = (code: string) => ({ error: { message: `The upstream answers ${code}.`, type: 'upstream', code } })
  if (isRefused(customId)) return json(error('context_length_exceeded'), 400)
  if (chance < 0.005) return json(error('rate_limit_exceeded'), 429, { 'retry-after-ms': '30' })
  if (chance < 0.01) return json(error('server_error'), 500)
  if (chance < 0.012) return [{ do: 'cut' }]
  const choice = { index: 0, message: { role: 'assistant', content: answerOf(customId) }, finish_reason: 'stop' }
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  const whole = json({ id: 'c', object: 'chat.completion', created: 1, model: 'm', choices: [choice], usage })
  return chance < 0.02 ? [{ do: 'wait', ms: 300 }, ...whole] : whole
}
