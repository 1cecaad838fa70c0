import type { Outcome, RawAnswer } from './raw-client.ts'
import type { Surface } from './routes.ts'
import { upstreamSecret } from './upstream/draft.ts'

/** What is wrong with an answer, as a short name that stays the same for the same fault, and what was seen. */
export type Complaint = { readonly name: string; readonly detail: string }

export type Expectation = {
  /** Undefined where several surfaces may answer. */
  readonly surface: Surface | undefined
  /** Whether the upstream was well, so that no answer may blame it. */
  readonly isUpstreamWell: boolean
  /** Whether the request was HTTP beyond doubt: then an answer has to come. */
  readonly isAnswerDue: boolean
  /** Whether events are written by the server itself, rather than passed on as the upstream's. */
  readonly isOwnStream: boolean
  /** Whether the upstream's bytes are passed on to the last one, and may be cut off where the upstream was. */
  readonly isPassed: boolean
  readonly secrets: readonly string[]
}

const internalText = 'The server had an error'

export function judgeOutcome(outcome: Outcome, expected: Expectation): Complaint[] {
  switch (outcome.kind) {
    case 'left':
      return []
    case 'closed':
      return expected.isAnswerDue ? [{ name: 'no answer', detail: 'the connection ended without one' }] : []
    case 'refused':
      return [{ name: 'refused', detail: outcome.why }]
    case 'hang':
      return [{ name: 'hang', detail: `received so far: ${outcome.received}` }]
    case 'garbled':
      return [{ name: `answer is no HTTP: ${outcome.why.slice(0, 60)}`, detail: outcome.received }]
    case 'answer':
      return judgeAnswer(outcome.answer, outcome.hasClosed, expected)
  }
}

function judgeAnswer(answer: RawAnswer, hasClosed: boolean, expected: Expectation): Complaint[] {
  const found: Complaint[] = []
  const text = answer.body.toString('utf8')
  const show = `${answer.head}\n\n${text.slice(0, 1500)}`
  const note = (name: string, detail = show): void => void found.push({ name, detail })
  const { status } = answer
  if (status === 500 || text.includes(internalText)) note(`internal error (${status})`)
  else if (status > 500 && expected.isUpstreamWell && status !== 505) note(`status ${status} with a healthy upstream`)
  for (const secret of expected.secrets) {
    if (text.includes(secret) || answer.head.includes(secret)) note('a secret in the answer')
  }
  // What a model says is its own; in an error, and in a head, nothing of the upstream's may be said again.
  if (answer.head.includes(upstreamSecret) || (status !== 200 && text.includes(upstreamSecret))) {
    note("the upstream's credential in the answer")
  }
  const type = answer.headers['content-type'] ?? ''
  const isEvents = type.startsWith('text/event-stream')
  if (!answer.isComplete) {
    if (!expected.isPassed) note('the answer is cut off')
    return found
  }
  // The HTTP parser in front answers what it cannot read without a body, and hangs up.
  const isParsers = hasClosed && answer.body.length === 0 && [400, 413, 414, 431, 501, 505].includes(status)
  if (isParsers || answer.body.length === 0) {
    if (status >= 400 && !isParsers && expected.isAnswerDue && expected.surface !== undefined)
      note('an error without a body')
    return found
  }
  if (isEvents && status === 200 && !expected.isPassed) {
    const why = judgeStream(text, expected)
    if (why) note(`the stream is not well formed: ${why}`)
  } else if (expected.isPassed && status === 200) {
    // The upstream's, to the last byte.
  } else if (/^application\/json/.test(type)) {
    const why = judgeJson(text, status, expected.surface)
    if (why) note(why)
  } else if (status >= 400) note(`an error of content type ${JSON.stringify(type)}`)
  return found
}

function judgeJson(text: string, status: number, surface: Surface | undefined): string | undefined {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return `JSON that does not parse (${status})`
  }
  if (status < 400) return undefined
  const shapes = surface === undefined ? Object.values(errorShapes) : [errorShapes[surface]]
  const isKnown = isObject(value) && shapes.some((isShape) => isShape(value as Fields))
  return isKnown ? undefined : `an error that is not in the shape of ${surface ?? 'any surface'} (${status})`
}

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)

const isOpenAI = ({ error }: Fields): boolean =>
  isObject(error) &&
  isText(error.message) &&
  isTextOrNull(error.code) &&
  isTextOrNull(error.param) &&
  isTextOrNull(error.type)
const isPlain = ({ error }: Fields): boolean => isObject(error) && isText(error.code) && isText(error.message)
const isInference = (body: Fields): boolean => isPlain(body) || isText(body.detail) || Array.isArray(body.detail)

const errorShapes: Readonly<Record<Surface, (body: Fields) => boolean>> = {
  openai: isOpenAI,
  responses: isOpenAI,
  inference: isInference,
  anthropic: ({ type, error }) => type === 'error' && isObject(error) && isText(error.type) && isText(error.message),
  rerank: (body) => isText(body.message) && isOpenAI(body),
  management: isPlain,
  'content-safety': ({ error }) => isPlain({ error }) && Array.isArray((error as Fields).details),
  plain: (body) => isPlain(body) || isOpenAI(body) || isText(body.status),
}

/** Why the text is no stream that a strict client of the surface can read, if it is none. */
function judgeStream(text: string, { surface, isOwnStream }: Expectation): string | undefined {
  if (text === '') return 'it is empty'
  if (!/(\r\n|\n|\r){2}$/.test(text)) return 'it does not end with a whole event'
  const isNamed = surface === 'anthropic' || surface === 'responses' || (surface === undefined && /^event:/m.test(text))
  if (isNamed && !isOwnStream) return judgeRelayedEvents(text)
  const blocks = text.slice(0, -2).split('\n\n')
  return isNamed ? judgeNamedEvents(blocks) : judgeDataEvents(blocks, isOwnStream)
}

function judgeDataEvents(blocks: readonly string[], isOwnStream: boolean): string | undefined {
  let hasFailed = false
  for (const [index, block] of blocks.entries()) {
    if (!block.startsWith('data: ') || /[\r\n]/.test(block)) return 'an event is not one data line'
    const data = block.slice(6)
    if (data === '[DONE]') {
      if (index < blocks.length - 1) return 'something follows [DONE]'
      return undefined
    }
    const value = parse(data)
    if (isOwnStream && !isObject(value)) return 'an event is no JSON object'
    hasFailed = isObject(value) && isObject(value.error)
  }
  return hasFailed ? undefined : 'it ends neither with [DONE] nor with an error'
}

function judgeNamedEvents(blocks: readonly string[]): string | undefined {
  let last = ''
  let count = 0
  for (const block of blocks) {
    const match = /^event: ([a-z_.]+)\ndata: ([^\n\r]*)$/.exec(block)
    if (!match) return 'an event is not a name and one data line'
    const value = parse(match[2] as string)
    if (!isObject(value) || value.type !== match[1]) return 'the data of an event is not of its type'
    last = match[1] as string
    if (value.sequence_number !== undefined && value.sequence_number !== count++)
      return 'the numbers of events have a gap'
  }
  return isLastEvent(last) ? undefined : 'it ends neither with its last event nor with an error'
}

/** Passed on as they came: clients of this protocol read whatever way events may be written. */
function judgeRelayedEvents(text: string): string | undefined {
  const names = [...text.matchAll(/(?:^|\r|\n)event: ?([^\r\n]*)/g)].map((match) => match[1] as string)
  // Some servers of responses name events only in their data.
  const isTold = names.some(isLastEvent) || /"type": ?"response\.(completed|incomplete|failed)"/.test(text)
  return isTold ? undefined : 'it ends neither with its last event nor with an error'
}

const lastEvents: ReadonlySet<string> = new Set([
  'message_stop',
  'response.completed',
  'response.incomplete',
  'response.failed',
  'error',
])
const isLastEvent = (name: string): boolean => lastEvents.has(name)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
