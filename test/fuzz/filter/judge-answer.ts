import type { Complaint } from '../oracle.ts'
import type { RawAnswer } from '../raw-client.ts'
import { answeredEmail, type PolicyKind, plantedTerms } from './policies.ts'

/** Of what the caller got, what no content filter may have let through. */

export type FilterExpectation = {
  readonly policy: PolicyKind
  /** Whether what was planted in answers is looked for: not where the caller said it first. */
  readonly isPlanted: boolean
  /** Whether the upstream said of something that its own filter had kept it back. */
  readonly hasForeignResults: boolean
  /** Whether the answer's text was to be JSON. */
  readonly isJson: boolean
}

/** An answer that goes out at once is stopped within so many characters. */
const mostBehind = 1_000

/** Judges status 200; errors say nothing of a model's. */
export function judgeFiltered({ status, headers, body }: RawAnswer, expected: FilterExpectation): Complaint[] {
  if (status !== 200 || expected.policy === 'relay') return []
  const text = body.toString('utf8')
  const type = headers['content-type'] ?? ''
  const isStream = type.startsWith('text/event-stream')
  const values = isStream ? readEvents(text) : [parse(text)]
  const detail = text.length > 6000 ? `${text.slice(0, 3000)}\n...\n${text.slice(-3000)}` : text
  const found = new Map<string, Complaint>()
  const note = (name: string): void => void (found.has(name) || found.set(name, { name, detail }))
  if (expected.isPlanted) judgeTexts(readLanes(values), expected, note)
  judgeEnds(values, isStream, expected, note)
  return [...found.values()]
}

type Note = (name: string) => void

function judgeTexts(lanes: ReadonlyMap<string, string>, { policy, isJson }: FilterExpectation, note: Note): void {
  for (const [lane, raw] of lanes) {
    const place = lane.replace(/\d+/g, 'N')
    const isQuoted =
      /arguments$|partial_json$|arguments\.delta/.test(lane) || (isJson && /content$|text$|text\.delta/.test(lane))
    for (const text of isQuoted ? [raw, decodeEscapes(raw)] : [raw]) {
      const at = findPlanted(text)
      if (at === undefined) continue
      if (policy === 'strict') note(`what a blocklist has is in the answer (${place})`)
      else if (policy === 'async' && text.length - at > mostBehind) note(`an answer is not stopped (${place})`)
    }
    if (policy === 'strict' && new RegExp(`(^|\\s)${answeredEmail}(\\s|$)`, 'i').test(raw))
      note(`what is to be unreadable is in the answer (${place})`)
  }
}

/** Borders that leave no doubt whether a word ends: what is not seen, and what may be a part of one, does. */
const border = '[ .,;:!?()"\\n]'
const planted = new RegExp(plantedTerms.map((term) => `(?:^|(?<=${border}))${term}(?=${border}|$)`).join('|'), 'i')

/** Where something planted begins that should not be there, undefined where nothing does. */
function findPlanted(text: string): number | undefined {
  const match = planted.exec(text)
  return match ? match.index : undefined
}

const decodeEscapes = (text: string): string =>
  text.replace(/\\u([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

type Fields = Readonly<Record<string, unknown>>
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the answer says of each choice and block: told once that it is kept back, and then nothing more of it. */
function judgeEnds(
  values: readonly unknown[],
  isStream: boolean,
  { hasForeignResults }: FilterExpectation,
  note: Note,
): void {
  const ends = new Map<number, string>()
  const filtered = new Set<number>()
  let stops = 0
  let place = 0
  for (const value of values) {
    if (!isObject(value)) continue
    if (/^response\.(completed|incomplete|failed)$/.test(String(value.type))) stops++
    const response = isObject(value.response) ? value.response : value
    if (response.object === 'response') judgeResponse(response, hasForeignResults, note)
    if (value.type === 'message_delta' && isObject(value.delta) && typeof value.delta.stop_reason === 'string') stops++
    for (const choice of Array.isArray(value.choices) ? value.choices : []) {
      if (!isObject(choice)) continue
      // A whole answer may number its choices as its upstream did.
      const index = isStream ? Number(choice.index) : place++
      const hadEnded = ends.has(index)
      if (hadEnded && saysSomething(choice)) note(`a choice goes on when it has ended (${ends.get(index)})`)
      if (typeof choice.finish_reason === 'string') {
        if (hadEnded) note(`a choice ends twice (${ends.get(index)}, ${choice.finish_reason})`)
        ends.set(index, choice.finish_reason)
      }
      if (isFiltered(choice.content_filter_results) || isFiltered(choice.content_filter_result)) filtered.add(index)
    }
  }
  if (stops > 1) note('a message ends twice')
  const hasFailed = values.some((value) => isObject(value) && isObject(value.error))
  if (hasForeignResults) return
  for (const index of filtered) {
    const end = ends.get(index)
    if (end !== 'content_filter' && !(hasFailed && end === undefined))
      note(`filtered is true, and the choice ends with ${end ?? 'nothing'}`)
  }
}

/** A response says of itself that it was kept back, if a filter did it. */
function judgeResponse(response: Fields, hasForeignResults: boolean, note: Note): void {
  const filters = Array.isArray(response.content_filters) ? response.content_filters : []
  const isKept = filters.some(
    (one) => isObject(one) && one.source_type === 'completion' && isFiltered(one.content_filter_results),
  )
  const { status, incomplete_details: details } = response
  if (!isKept || hasForeignResults || status === 'failed') return
  if (!isObject(details) || details.reason !== 'content_filter') note(`filtered is true, and the response is ${status}`)
}

function saysSomething({ delta, text, message }: Fields): boolean {
  const said = { ...(isObject(delta) ? delta : {}), ...(isObject(message) ? message : {}), text }
  return Object.entries(said).some(
    ([name, value]) => name !== 'role' && value !== '' && value !== null && value !== undefined,
  )
}

function isFiltered(results: unknown): boolean {
  return isObject(results) && Object.values(results).some((one) => isObject(one) && one.filtered === true)
}

/**
 * The texts by where they are, those of the same place in later events behind those of earlier ones. Names of fields are texts too. Items
 * of a list are texts of their own, but for tokens.
 */
function readLanes(values: readonly unknown[]): ReadonlyMap<string, string> {
  const lanes = new Map<string, string>()
  let items = 0
  const add = (lane: string, text: string): void => void lanes.set(lane, (lanes.get(lane) ?? '') + text)
  const walk = (value: unknown, path: string): void => {
    if (typeof value === 'string') add(path, value)
    else if (Array.isArray(value)) {
      for (const item of value)
        walk(
          item,
          `${path}[${isObject(item) && typeof item.index === 'number' ? item.index : path.includes('logprobs') ? '*' : `*${items++}`}]`,
        )
    } else if (isObject(value)) {
      for (const [key, item] of Object.entries(value)) {
        if (key.length >= 8) add(`${path}.(key)`, ` ${key} `)
        walk(item, `${path}.${key}`)
      }
    }
  }
  for (const value of values) walk(value, placeOf(value))
  return lanes
}

/** Events of responses have their texts in the same field, whatever they are of. */
function placeOf(value: unknown): string {
  if (!isObject(value)) return ''
  if (typeof value.output_index === 'number') return `#${value.output_index} ${value.type}`
  return typeof value.index === 'number' ? `#${value.index}` : ''
}

function readEvents(text: string): unknown[] {
  return [...text.matchAll(/^data: ?(.*)$/gm)].flatMap(([, data]) => (data === '[DONE]' ? [] : [parse(data as string)]))
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
