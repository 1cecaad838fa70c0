/** What is asked and answered in every measurement: the same bytes for all targets, but for the model's name. */

export const eventsPerStream = 64

/** The mock upstream tells by the model how to answer. */
export type Workload = 'chat' | 'stream' | 'paced'

/** Milliseconds between two events of a paced stream. */
export const paceMs = 20

const system =
  'You are the assistant of a small software company. You answer questions about its product, a gateway for language models. ' +
  'Answer in at most three sentences, in the language of the question. When you do not know something, say so and name the page of ' +
  'the manual on which the answer may be found. Never invent options or commands, and never repeat a key or another secret that ' +
  'somebody has pasted into the conversation.'
const history =
  'A deployment is a name for a model under a configuration. You can have any number of deployments of one model, and each of them ' +
  'has its own limits, its own filter and its own place where it runs. Their names are compared without regard to case.'
const question =
  'We have two deployments of the same model, one for the web site and one for batch work. The batch work must never slow the web ' +
  'site down. How would I set that up, and what will a caller of the batch deployment see when its limit is reached?'

/** About 1.1 kB. */
export function writeRequestBody(model: string, isStream: boolean): string {
  return JSON.stringify({
    model,
    messages: [
      { role: 'system', content: system },
      { role: 'user', content: 'What is a deployment?' },
      { role: 'assistant', content: history },
      { role: 'user', content: question },
    ],
    temperature: 0.2,
    max_tokens: 256,
    ...(isStream && { stream: true }),
  })
}

export const answerText =
  'Give the batch deployment a limit of tokens per minute that is well below what the model can do, and leave the rest to the ' +
  'deployment of the web site. A caller of the batch deployment who goes beyond the limit gets status 429 with a Retry-After header, ' +
  'and the usual clients wait for that long and then try again by themselves. The page on limits has an example.'

const head = { id: 'chatcmpl-bench0123456789abcdefghij', created: 1_760_000_000, model: 'bench-2026-01-01' }

/** About 0.7 kB. */
export const answerBody = JSON.stringify({
  ...head,
  object: 'chat.completion',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: answerText, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 231, completion_tokens: 74, total_tokens: 305 },
})

/** The events of a stream, `[DONE]` not among them. */
export const streamEvents: readonly string[] = Array.from({ length: eventsPerStream }, (_, index) => {
  const isLast = index === eventsPerStream - 1
  const delta = index === 0 ? { role: 'assistant', content: '' } : isLast ? {} : { content: ` word${index}` }
  const choice = { index: 0, delta, logprobs: null, finish_reason: isLast ? 'stop' : null }
  return JSON.stringify({ ...head, object: 'chat.completion.chunk', system_fingerprint: 'fp_bench', choices: [choice] })
})

export const streamText = streamEvents.map((event) => JSON.parse(event).choices[0].delta.content ?? '').join('')
