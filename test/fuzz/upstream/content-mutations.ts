import { mutateBytes, mutateJson } from '../json-text.ts'
import type { Random } from '../random.ts'
import { type AnswerDraft, type AnswerMutation, upstreamSecret } from './draft.ts'
import type { AnswerEvent } from './good-answers.ts'

/** What the upstream says: wrong shapes, errors, events that are cut, garbled or written another way. */

/** A wrong shape: one value of the answer is another. */
export function shape(draft: AnswerDraft, random: Random): void {
  if (draft.events?.length === 0) return
  if (draft.events) {
    const at = random.int(0, draft.events.length - 1)
    const { name, data } = draft.events[at] as AnswerEvent
    draft.events[at] = { name, data: mutateJson(data, random) }
  } else draft.value = mutateJson(draft.value ?? {}, random)
}

const editEvents =
  (edit: (events: AnswerEvent[], at: number, random: Random) => void) =>
  (draft: AnswerDraft, random: Random): void => {
    if (draft.events?.length) edit(draft.events, random.int(0, draft.events.length - 1), random)
    else shape(draft, random)
  }
const editText =
  (edit: (text: string, random: Random) => string) =>
  (draft: AnswerDraft, random: Random): void =>
    void draft.textEdits.push((text) => edit(text, random))
/** A line put between two lines of the body. */
const insertLine = (...lines: readonly string[]) =>
  editText((text, random) => {
    const at = text.indexOf('\n', random.int(0, Math.max(0, text.length - 1))) + 1
    return text.slice(0, at) + random.pick(lines) + text.slice(at)
  })

function asError(draft: AnswerDraft, random: Random): void {
  const status = random.pick([400, 400, 401, 403, 404, 408, 409, 413, 415, 418, 422, 429, 429, 500, 502, 503, 504, 529])
  draft.statusLine = `HTTP/1.1 ${status} Error`
  draft.events = undefined
  draft.bytes = undefined
  draft.framing = 'length'
  draft.headers = [['content-type', 'application/json']]
  const message = random.pick(['Bad thing.', '', `Incorrect API key provided: ${upstreamSecret}.`, 'x'.repeat(100_000)])
  const error = { message, type: 'invalid_request_error', param: 'messages', code: 'bad' }
  draft.value = random.pick<unknown>([
    { error },
    { error: { message } },
    { error: message },
    { error: null },
    { error: [] },
    { error: { ...error, message: 5, code: 7, param: {}, type: null } },
    { message },
    { detail: [{ loc: ['body'], msg: message }] },
    { type: 'error', error: { type: 'overloaded_error', message } },
    { error: { ...error, innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} } } },
    [],
    message,
  ])
  if (random.chance(0.4)) {
    const after = random.pick([
      '1',
      '0',
      '-5',
      '1e99',
      'NaN',
      'Wed, 21 Oct 2099 07:28:00 GMT',
      'x',
      '999999999999999',
      '',
    ])
    draft.headers.push([random.pick(['retry-after', 'retry-after-ms', 'x-ms-retry-after-ms']), after])
  }
  if (random.chance(0.3)) draft.value = mutateJson(draft.value, random)
}

export const contentMutations: readonly AnswerMutation[] = [
  { name: 'shape', apply: shape },
  { name: 'shape', apply: shape },
  { name: 'error status', apply: asError },
  { name: 'error status', apply: asError },
  { name: 'error status', apply: asError },
  { name: 'drop event', apply: editEvents((events, at) => void events.splice(at, 1)) },
  { name: 'repeat event', apply: editEvents((events, at) => void events.splice(at, 0, events[at]!)) },
  { name: 'swap events', apply: editEvents((events, at) => events.unshift(...events.splice(at))) },
  { name: 'end early', apply: editEvents((events, at) => void events.splice(at)) },
  {
    name: 'error event',
    apply: editEvents((events, at, random) => {
      const error = { type: 'overloaded_error', message: 'Overloaded', code: 'x' }
      const data = random.pick<unknown>([{ error }, { type: 'error', error }, { error: 'x' }, { error: null }])
      events.splice(at, 0, { name: random.pick([undefined, 'error']), data })
    }),
  },
  {
    name: 'thousands of events',
    weight: 0.2,
    apply: editEvents((events, at) => void events.splice(at, 0, ...Array.from({ length: 3000 }, () => events[at]!))),
  },
  {
    name: 'no terminator',
    apply: (draft) => {
      draft.terminator = ''
    },
  },
  { name: 'terminator twice', apply: editText((text) => `${text}data: [DONE]\n\ndata: {"late":1}\n\n`) },
  { name: 'terminator in the middle', apply: insertLine('\ndata: [DONE]\n\n', 'data: [DONE]\n') },
  { name: 'CRLF', apply: editText((text) => text.replaceAll('\n', '\r\n')) },
  { name: 'CR', apply: editText((text) => text.replaceAll('\n', '\r')) },
  {
    name: 'mixed line ends',
    apply: editText((text, random) => text.replace(/\n/g, () => random.pick(['\n', '\r\n', '\r']))),
  },
  { name: 'byte order mark', apply: editText((text) => `\ufeff${text}`) },
  { name: 'comment', apply: insertLine(': keep-alive\n', ':\n\n', ': x\n\n') },
  {
    name: 'other field',
    apply: insertLine('event: ping\n', 'id: 1\n', 'retry: 10\n', 'nonsense\n', 'data\n', 'data:\n\n'),
  },
  { name: 'no space', apply: editText((text) => text.replaceAll('data: ', 'data:')) },
  { name: 'two data lines', apply: editText((text) => text.replace(/,"/g, ',\ndata: "')) },
  {
    name: 'no JSON',
    apply: insertLine('data: {"a":\n\n', 'data: x\n\n', 'data: [1]\n\n', 'data: null\n\n', 'data: "\n\n'),
  },
  { name: 'no blank line', apply: editText((text) => text.replace('\n\n', '\n')) },
  { name: 'more blank lines', apply: editText((text) => text.replaceAll('\n\n', '\n\n\n\n')) },
  { name: 'NUL', apply: insertLine('\0', 'data: \0\n\n') },
  {
    name: 'large event',
    weight: 0.3,
    apply: editText((text, random) => `data: {"x":"${'y'.repeat(random.pick([100_000, 5_000_000]))}"}\n\n${text}`),
  },
  {
    name: 'broken bytes',
    apply: (draft, random) => void draft.bodyEdits.push((body) => mutateBytes(body, random)),
  },
  {
    name: 'cut body',
    apply: (draft, random) => void draft.bodyEdits.push((body) => body.subarray(0, random.int(0, body.length))),
  },
]
