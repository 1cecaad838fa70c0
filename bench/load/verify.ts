import type { Target } from './target.ts'
import { answerText, eventsPerStream, streamText, type Workload, writeRequestBody } from './workloads.ts'

/** Throws unless the target passes the mock's answers on, whole and streamed: a fast wrong answer is worth nothing. */
export async function verifyTarget(target: Target): Promise<void> {
  const whole = JSON.parse(await ask(target, 'chat'))
  requireEqual(target, 'answer', whole.choices[0].message.content, answerText)
  for (const workload of ['stream', 'paced'] as const) {
    const events = (await ask(target, workload)).split('\n\n').filter((event) => event !== '')
    requireEqual(target, 'end of the stream', events.pop(), 'data: [DONE]')
    const { ownEvents = 0 } = target
    const isRight = events.length >= eventsPerStream && events.length <= eventsPerStream + ownEvents
    requireEqual(target, 'number of events', isRight ? eventsPerStream : events.length, eventsPerStream)
    const deltas = events.map((event) => JSON.parse(event.slice('data: '.length)).choices[0]?.delta.content ?? '')
    requireEqual(target, 'text of the stream', deltas.join(''), streamText)
  }
}

async function ask(target: Target, workload: Workload): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${target.port}${target.path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...target.headers },
    body: writeRequestBody(target.model(workload), workload !== 'chat'),
  })
  const text = await response.text()
  if (response.status !== 200) throw new Error(`${target.name} answers ${response.status}: ${text.slice(0, 500)}`)
  for (const name of target.answerHeaders ?? [])
    requireEqual(target, `presence of ${name}`, response.headers.has(name), true)
  return text
}

function requireEqual(target: Target, what: string, got: unknown, expected: unknown): void {
  if (got === expected) return
  throw new Error(`${target.name}: the ${what} is ${JSON.stringify(got)}, not ${JSON.stringify(expected)}`)
}
