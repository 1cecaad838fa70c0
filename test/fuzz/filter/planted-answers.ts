import type { CallKind } from '../../../src/core/call.ts'
import { createRandom, type Random } from '../random.ts'
import type { AnswerEvent, GoodAnswer } from '../upstream/good-answers.ts'
import { answeredEmail, plantedTerms } from './policies.ts'

/**
 * Answers that say what is to be kept back, in any of the fields that a text can be in, cut anywhere: each piece of a text is an event of
 * its own, and the pieces of different texts come in between each other.
 */

/** Texts of a choice by field, of which one or two hold something planted. */
type Said = Readonly<Record<string, string>>

const fieldsOfChat = [
  'content',
  'content',
  'reasoning_content',
  'refusal',
  'name',
  'arguments',
  'arguments',
  'note',
  'nested',
  'transcript',
  'logprobs',
  'choice_note',
  'answer_note',
]
const fieldsOfMessages = ['text', 'thinking', 'name', 'arguments']
const fieldsOfResponses = ['text', 'text', 'thinking', 'refusal', 'name', 'arguments', 'nested', 'query', 'answer_note']

/** undefined for operations whose answers no filter judges. `isJson`: the text shall be JSON. */
export function plantedAnswer(
  wire: string,
  kind: CallKind,
  isStream: boolean,
  isJson: boolean,
  random: Random,
): GoodAnswer | undefined {
  const isMessages = wire === 'anthropic-messages'
  if (wire === 'openai-responses') {
    const said = draw(fieldsOfResponses, isJson, random)
    return isStream ? responseEvents(said, random) : whole(responseOf(said))
  }
  if (kind !== 'chat' && kind !== 'completion') return undefined
  const fields = isMessages ? fieldsOfMessages : kind === 'chat' ? fieldsOfChat : ['text', 'logprobs']
  const choices = Array.from({ length: isMessages || random.chance(0.7) ? 1 : 2 }, () => draw(fields, isJson, random))
  if (isMessages) return isStream ? messageEvents(choices[0] as Said, random) : whole(message(choices[0] as Said))
  if (kind === 'completion') {
    return isStream
      ? events(choices.map(pieces(random, completionPiece)), completionChunk, random)
      : whole(completion(choices))
  }
  return isStream ? events(choices.map(pieces(random, chatPiece)), chatChunk, random) : whole(chat(choices))
}

const whole = (value: unknown): GoodAnswer => ({ form: 'whole', value })

function draw(fields: readonly string[], isJson: boolean, random: Random): Said {
  const main = fields.includes('content') ? 'content' : 'text'
  const said: Record<string, string> = {}
  const place = random.pick(fields)
  for (const field of fields) {
    if (field === place || random.chance(0.1)) said[field] = write(field, isJson, random)
    else if (field === main || random.chance(0.2)) said[field] = field === 'name' ? 'get_weather' : plainText(field)
  }
  if (said.name && said.arguments === undefined) said.arguments = '{}'
  if (said.arguments !== undefined) said.name ??= 'get_weather'
  return said
}

const plainText = (field: string): string => (field === 'arguments' ? '{"city":"Paris"}' : 'All is well. ')

/** Something planted, with harmless words around it; behind it so many that an asynchronous stop has to show. */
function write(field: string, isJson: boolean, random: Random): string {
  // Names and tokens have no other spelling: what is personal in them is told, and stays.
  const isRewritable = field !== 'name' && field !== 'logprobs'
  const planted = isRewritable && random.chance(0.15) ? answeredEmail : random.pick(plantedTerms)
  const term =
    random.chance(0.15) && planted !== 'QZX-48151' && planted !== 'yakronnic' ? planted.toUpperCase() : planted
  const before = random.pick(['', '', 'The answer: ', 'zarquon zarq ', 'quixotic walnut ', `${'word '.repeat(80)}`])
  const after = random.pick(['', ' ', ' is it. ', '. Done', ` ${'and so on. '.repeat(random.pick([5, 150, 300]))}`])
  const text = `${before}${term}${after}`
  if (field === 'name') return random.chance(0.5) ? term : text.slice(0, 200)
  const isQuoted = field === 'arguments' || (isJson && (field === 'content' || field === 'text'))
  return isQuoted ? `{"city":"${random.chance(0.5) ? escapeSome(text, random) : text}"}` : text
}

/** Written as JSON may be, which says the same. */
function escapeSome(text: string, random: Random): string {
  return text.replace(/[a-z0-9]/g, (letter) =>
    random.chance(0.2) ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  )
}

/** Cut at up to six places, sometimes at every character. */
function cut(text: string, random: Random): readonly string[] {
  if (text.length < 60 && random.chance(0.2)) return [...text]
  const places = Array.from({ length: random.int(0, 6) }, () => random.int(0, text.length))
  // Mostly where it hurts.
  const at = plantedTerms.map((term) => text.toLowerCase().indexOf(term.toLowerCase())).find((found) => found >= 0)
  if (at !== undefined) places.push(at + random.int(0, 12), at + random.int(0, 24))
  const sorted = [0, ...places.map((place) => Math.min(place, text.length)).sort((a, b) => a - b), text.length]
  return sorted.slice(1).map((end, i) => text.slice(sorted[i], end))
}

/** Items of a list are not put together by anybody. */
const cutField = (field: string, text: string, random: Random): readonly string[] =>
  field === 'nested' || field.endsWith('_note') ? [text] : cut(text, random)

const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }
const tokensOf = (text: string, random: Random) =>
  cut(text, random).map((token) => ({
    token,
    logprob: -0.1,
    bytes: null,
    top_logprobs: [{ token, logprob: -0.1, bytes: null }],
  }))

function chat(choices: readonly Said[]): unknown {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm-2024',
    choices: choices.map(
      ({ name, arguments: args, note, nested, transcript, logprobs, choice_note, answer_note, ...texts }, index) => ({
        index,
        message: {
          role: 'assistant',
          content: null,
          ...texts,
          ...(name && { tool_calls: [{ id: 'call_1', type: 'function', function: { name, arguments: args } }] }),
          ...(note && { note }),
          ...(transcript && { audio: { id: 'audio_1', transcript, data: 'AAAA', expires_at: 1 } }),
          ...(nested && {
            annotations: [{ type: 'url_citation', url_citation: { title: nested, url: 'https://a.example' } }],
          }),
        },
        finish_reason: name ? 'tool_calls' : 'stop',
        ...(choice_note && { choice_note }),
        ...(logprobs && { logprobs: { content: tokensOf(logprobs, createRandom(index)) } }),
      }),
    ),
    usage,
    ...(choices[0]?.answer_note && { answer_note: choices[0].answer_note }),
  }
}

function completion(choices: readonly Said[]): unknown {
  return {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1,
    model: 'm',
    choices: choices.map(({ text, logprobs }, index) => ({
      index,
      text,
      finish_reason: 'stop',
      logprobs: logprobs ? completionLogprobs(logprobs) : null,
    })),
    usage,
  }
}

const completionLogprobs = (text: string) => {
  const tokens = [...text]
  return { tokens, token_logprobs: tokens.map(() => -0.1), top_logprobs: null, text_offset: tokens.map((_, i) => i) }
}

type Piece = (field: string, part: string, isFirst: boolean, random: Random) => object

function chatPiece(field: string, part: string, isFirst: boolean, random: Random): object {
  switch (field) {
    case 'name':
      return {
        delta: { tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: part, arguments: '' } }] },
      }
    case 'arguments':
      return { delta: { tool_calls: [{ index: 0, function: { arguments: part } }] } }
    case 'transcript':
      return { delta: { audio: { ...(isFirst && { id: 'audio_1' }), transcript: part } } }
    case 'answer_note':
      return { delta: { content: '' }, answer_note: part }
    case 'choice_note':
      return { delta: { content: '' }, choice_note: part }
    case 'nested':
      return { delta: { annotations: [{ type: 'url_citation', url_citation: { title: part } }] } }
    case 'logprobs':
      return { delta: { content: '' }, logprobs: { content: tokensOf(part, random) } }
    default:
      return { delta: { ...(isFirst && { role: 'assistant' }), [field]: part } }
  }
}

function completionPiece(field: string, part: string): object {
  return field === 'text' ? { text: part, logprobs: null } : { text: '', logprobs: completionLogprobs(part) }
}

/** A text in pieces, which come in this order. */
type Line = { readonly isPlanted: boolean; readonly pieces: { readonly value: object; readonly length: number }[] }

/** The pieces of each field in their order, a tool's name whole and before its arguments; fields among each other anyhow. */
function pieces(random: Random, write: Piece) {
  return (said: Said): object[] => {
    const { name, arguments: args, ...others } = said
    const lineOf = (field: string, text: string): Line => ({
      isPlanted: isPlantedIn(text),
      pieces: cutField(field, text, random).map((part, i) => ({
        value: write(field, part, i === 0, random),
        length: part.length,
      })),
    })
    const lines = Object.entries(others).map(([field, text]) => lineOf(field, text))
    if (name !== undefined) {
      const line = lineOf('arguments', args ?? '')
      line.pieces.unshift({ value: write('name', name, true, random), length: 1 })
      lines.push(line)
    }
    const end =
      write === completionPiece
        ? { text: '', logprobs: null, finish_reason: 'stop' }
        : { delta: {}, finish_reason: name ? 'tool_calls' : 'stop' }
    return [...weave(lines, random), end]
  }
}

const isPlantedIn = (text: string): boolean =>
  text.includes('\\u') ||
  [...plantedTerms, answeredEmail].some((term) => text.toLowerCase().includes(term.toLowerCase()))

/** Filters wait no longer for a text to go on when so much of another one has come in between. */
const mostBetween = 31

/** All pieces, a line that holds something planted not torn apart by more than filters wait for. */
function weave(lines: readonly Line[], random: Random): object[] {
  const all: object[] = []
  let torn: Line | undefined
  let between = 0
  const mayFollow = (line: Line): boolean =>
    torn === undefined || line === torn || (!line.isPlanted && between + (line.pieces[0]?.length ?? 0) <= mostBetween)
  for (;;) {
    const next = lines.filter((line) => line.pieces.length > 0 && mayFollow(line))
    if (next.length === 0) return all
    const line = random.pick(next)
    const { value, length } = line.pieces.shift() as Line['pieces'][number]
    all.push(value)
    if (line.isPlanted) torn = line.pieces.length > 0 ? line : undefined
    between = line.isPlanted ? 0 : between + length
  }
}

/** Of several choices, each in its own order. */
function shuffleTogether<T>(lines: readonly (readonly T[])[], random: Random): T[] {
  const left = lines.map((line) => [...line]).filter((line) => line.length > 0)
  const all: T[] = []
  while (left.length > 0) {
    const line = random.pick(left)
    all.push(line.shift() as T)
    if (line.length === 0) left.splice(left.indexOf(line), 1)
  }
  return all
}

const chatChunk = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_700_000_000, model: 'm' }
const completionChunk = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'm' }

function events(choices: readonly (readonly object[])[], chunk: object, random: Random): GoodAnswer {
  const numbered = choices.map((parts, index) => parts.map((part) => ({ index, finish_reason: null, ...part })))
  const written = shuffleTogether(numbered, random).map((choice): AnswerEvent => {
    const { answer_note, ...own } = choice as { answer_note?: string }
    return { data: { ...chunk, choices: [own], ...(answer_note !== undefined && { answer_note }) } }
  })
  return {
    form: 'events',
    events: [...written, { data: { ...chunk, choices: [], usage } }],
    terminator: 'data: [DONE]\n\n',
  }
}

type ResponseItem = { readonly value: object; readonly begun: object; readonly delta?: string; readonly text?: string }

/** Items of a response, with the text of each that comes in pieces. */
function responseItems({ text, thinking, refusal, name, arguments: args, nested, query }: Said): ResponseItem[] {
  const item = (type: string, fields: object) => ({ id: `${type}_1`, type, status: 'completed', ...fields })
  const said = (part: object, kind: string, told: string): ResponseItem => ({
    value: item('message', { role: 'assistant', content: [part] }),
    begun: item('message', { role: 'assistant', content: [] }),
    delta: `response.${kind}.delta`,
    text: told,
  })
  const annotations = nested ? [{ type: 'url_citation', title: nested, url: 'https://a.example' }] : []
  const call = { call_id: 'call_1', name: name ?? '' }
  const search = item('web_search_call', { action: { type: 'search', query } })
  const thought = { summary: [{ type: 'summary_text', text: thinking }] }
  const thoughtItem: ResponseItem = {
    value: item('reasoning', thought),
    begun: item('reasoning', { summary: [] }),
    delta: 'response.reasoning_summary_text.delta',
    text: thinking ?? '',
  }
  return [
    ...(thinking ? [thoughtItem] : []),
    ...(query ? [{ value: search, begun: search }] : []),
    said({ type: 'output_text', text: text ?? '', annotations }, 'output_text', text ?? ''),
    ...(refusal ? [said({ type: 'refusal', refusal }, 'refusal', refusal)] : []),
    ...(name
      ? [
          {
            value: item('function_call', { ...call, arguments: args ?? '{}' }),
            begun: item('function_call', { ...call, arguments: '' }),
            delta: 'response.function_call_arguments.delta',
            text: args ?? '{}',
          },
        ]
      : []),
  ]
}

function responseOf(said: Said, isBegun = false): object {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_700_000_000,
    status: isBegun ? 'in_progress' : 'completed',
    model: 'm',
    error: null,
    incomplete_details: null,
    output: isBegun ? [] : responseItems(said).map(({ value }) => value),
    usage: { input_tokens: 3, output_tokens: 2, total_tokens: 5 },
    ...(said.answer_note && { answer_note: said.answer_note }),
  }
}

function responseEvents(said: Said, random: Random): GoodAnswer {
  const event = (type: string, fields: object): AnswerEvent => ({ name: type, data: { type, ...fields } })
  return {
    form: 'events',
    events: [
      event('response.created', { response: responseOf(said, true) }),
      ...responseItems(said).flatMap(({ value, begun, delta, text }, output_index) => [
        event('response.output_item.added', { output_index, item: begun }),
        ...(delta ? cut(text ?? '', random).map((part) => event(delta, { output_index, delta: part })) : []),
        event('response.output_item.done', { output_index, item: value }),
      ]),
      event('response.completed', { response: responseOf(said) }),
    ],
    terminator: '',
  }
}

const messageUsage = { input_tokens: 3, output_tokens: 2 }

function message({ text, thinking, name, arguments: args }: Said): unknown {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      ...(thinking ? [{ type: 'thinking', thinking, signature: 'c2ln' }] : []),
      { type: 'text', text },
      ...(name ? [{ type: 'tool_use', id: 'toolu_1', name, input: JSON.parse(args ?? '{}') }] : []),
    ],
    stop_reason: name ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: messageUsage,
  }
}

function messageEvents({ text, thinking, name, arguments: args }: Said, random: Random): GoodAnswer {
  const event = (type: string, fields: object): AnswerEvent => ({ name: type, data: { type, ...fields } })
  const blocks: [object, readonly object[]][] = [
    ...(thinking
      ? ([
          [
            { type: 'thinking', thinking: '' },
            cut(thinking, random).map((part) => ({ type: 'thinking_delta', thinking: part })),
          ],
        ] as [object, object[]][])
      : []),
    [{ type: 'text', text: '' }, cut(text ?? '', random).map((part) => ({ type: 'text_delta', text: part }))],
    ...(name
      ? ([
          [
            { type: 'tool_use', id: 'toolu_1', name, input: {} },
            cut(args ?? '{}', random).map((part) => ({ type: 'input_json_delta', partial_json: part })),
          ],
        ] as [object, object[]][])
      : []),
  ]
  const empty = { ...(message({ text: '' }) as object), content: [], stop_reason: null }
  return {
    form: 'events',
    events: [
      event('message_start', { message: empty }),
      ...blocks.flatMap(([start, deltas], index) => [
        event('content_block_start', { index, content_block: start }),
        ...deltas.map((delta) => event('content_block_delta', { index, delta })),
        event('content_block_stop', { index }),
      ]),
      event('message_delta', {
        delta: { stop_reason: name ? 'tool_use' : 'end_turn', stop_sequence: null },
        usage: messageUsage,
      }),
      event('message_stop', {}),
    ],
    terminator: '',
  }
}
