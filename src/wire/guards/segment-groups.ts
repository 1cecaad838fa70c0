import type { FilterCategory } from '../../core/filter/categories.ts'
import type { Finding, Question, Segment } from '../../core/filter/engine.ts'
import type { Reading } from './reading.ts'

/** Whose words they are: of the operator's application, of the caller, quoted from elsewhere, or the model's. */
export type Origin = 'system' | 'caller' | 'quoted' | 'answer'

/** Texts of one origin that are judged in one go. */
export type SegmentGroup = {
  readonly origin: Origin
  readonly text: string
  /** Where the segments stand in `text`. */
  readonly parts: readonly { readonly segment: number; readonly start: number; readonly length: number }[]
  /** Those asked of this group: attacks are looked for where they come from, what is the model's only in answers. */
  readonly asked: ReadonlySet<FilterCategory>
  /** The category that an attack has here. */
  readonly attack: 'jailbreak' | 'indirect_attack' | undefined
}

/** What is between two segments of a group. */
const gap = '\n\n'

const answersOnly: ReadonlySet<FilterCategory> = new Set([
  'protected_material_text',
  'protected_material_code',
  'ungrounded_material',
])

/**
 * The texts to judge, by origin and at most `maxChars` in one go (a longer segment stays whole: callers split before they ask). Of an
 * answer, what is not the assistant's is context and in no group. Texts of white space alone are left out, and groups of which nothing
 * is asked.
 */
export function groupSegments(segments: readonly Segment[], question: Question, maxChars: number): SegmentGroup[] {
  const isAnswer = question.source === 'Completion'
  const groups: SegmentGroup[] = []
  let open: { origin: Origin; text: string; parts: SegmentGroup['parts'][number][] } | undefined
  const close = () => {
    if (open) {
      const asked = askedOf(open.origin, question.categories)
      if (asked.size > 0) groups.push({ ...open, asked, attack: attackOf(open.origin) })
    }
    open = undefined
  }
  // Groups of one origin lie together, so that a conversation in turns does not become as many requests.
  for (const origin of ['system', 'caller', 'quoted', 'answer'] as const) {
    for (const [segment, { role, text }] of segments.entries()) {
      if (originOf(role, isAnswer) !== origin || text.trim() === '') continue
      if (open && open.text.length + gap.length + text.length > maxChars) close()
      open ??= { origin, text: '', parts: [] }
      if (open.text !== '') open.text += gap
      open.parts.push({ segment, start: open.text.length, length: text.length })
      open.text += text
    }
    close()
  }
  return groups
}

/** Undefined for what is only context. */
function originOf(role: Segment['role'], isAnswer: boolean): Origin | undefined {
  if (isAnswer) return role === 'assistant' ? 'answer' : undefined
  if (role === 'system') return 'system'
  return role === 'tool' || role === 'document' ? 'quoted' : 'caller'
}

function attackOf(origin: Origin): SegmentGroup['attack'] {
  if (origin === 'caller') return 'jailbreak'
  return origin === 'quoted' ? 'indirect_attack' : undefined
}

function askedOf(origin: Origin, categories: ReadonlySet<FilterCategory>): ReadonlySet<FilterCategory> {
  const attack = attackOf(origin)
  return new Set(
    [...categories].filter((category) =>
      category === 'jailbreak' || category === 'indirect_attack'
        ? category === attack
        : origin === 'answer' || !answersOnly.has(category),
    ),
  )
}

/** What an answer is judged beside: what was asked, and the documents it was given. */
export function contextOf(segments: readonly Segment[]): {
  readonly query: string
  readonly documents: readonly string[]
} {
  const textsOf = (...roles: Segment['role'][]) =>
    segments.filter(({ role, text }) => roles.includes(role) && text.trim() !== '').map(({ text }) => text)
  return { query: textsOf('user').join(gap), documents: textsOf('document', 'tool') }
}

/** The place in a segment of UTF-16 units `start` to `end` of a group's text; undefined where they lie in no one segment. */
export function spanIn(group: SegmentGroup, start: number, end: number): Finding['span'] {
  if (!Number.isInteger(start) || !Number.isInteger(end) || end <= start) return undefined
  const part = group.parts.find((each) => start >= each.start && end <= each.start + each.length)
  return part && { segment: part.segment, start: start - part.start, end: end - part.start }
}

/** Findings about a group of one segment are about that segment, where they say no place of their own. */
export function placeReading(group: SegmentGroup, reading: Reading): Reading {
  const [part, ...others] = group.parts
  if (!part || others.length > 0) return reading
  const span = { segment: part.segment, start: 0, end: part.length }
  return { ...reading, findings: reading.findings.map((finding) => (finding.span ? finding : { ...finding, span })) }
}

/** A span of a group counted in code points, as services written in Python count. */
export function codePointSpanIn(group: SegmentGroup, start: number, end: number): Finding['span'] {
  if (!Number.isInteger(start) || !Number.isInteger(end) || start < 0 || end <= start) return undefined
  let [units, points, from] = [0, 0, -1]
  for (const character of group.text) {
    if (points === start) from = units
    if (points === end) break
    units += character.length
    points++
  }
  return points === end && from >= 0 ? spanIn(group, from, units) : undefined
}

/** `text` in overlapping pieces of at most `size` units, none cut within a surrogate pair. */
export function splitText(
  text: string,
  size: number,
  overlap: number,
): { readonly start: number; readonly text: string }[] {
  const pieces: { start: number; text: string }[] = []
  for (let start = 0; ; ) {
    let end = Math.min(text.length, start + size)
    if (end < text.length && isLowSurrogate(text, end)) end--
    pieces.push({ start, text: text.slice(start, end) })
    if (end === text.length) return pieces
    start = end - overlap
    if (isLowSurrogate(text, start)) start++
  }
}

function isLowSurrogate(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 0xdc00 && code <= 0xdfff
}
