import type { FilterSource } from '../../../core/filter/categories.ts'
import type { Finding, Segment } from '../../../core/filter/engine.ts'

/** What is repeated at a cut, so that nothing hides there. */
const overlapChars = 200

/** Some of the segments, or parts of them, that an engine takes at once. `at` is where each part begins, and in which segment. */
export type Portion = {
  readonly segments: readonly Segment[]
  readonly at: readonly { readonly segment: number; readonly offset: number }[]
}

/**
 * Segments in portions of at most `maxChars`: whole ones together where they fit, long ones in overlapping parts. Of an answer what it is
 * judged with, the question and documents, stands in every portion, as much of it as fits.
 */
export function splitSegments(
  segments: readonly Segment[],
  maxChars: number,
  source: FilterSource = 'Prompt',
): readonly Portion[] {
  const placed = segments.map((part, segment) => ({ part, segment }))
  const total = lengthOf(segments)
  if (total <= maxChars) return [{ segments, at: placed.map(({ segment }) => ({ segment, offset: 0 })) }]
  if (source === 'Prompt') return splitAll(placed, maxChars)
  const answers = placed.filter(({ part }) => part.role === 'assistant')
  const most = Math.max(maxChars >> 1, maxChars - lengthOf(answers.map(({ part }) => part)))
  const context = shorten(
    placed.filter(({ part }) => part.role !== 'assistant'),
    most,
  )
  const left = maxChars - lengthOf(context.map(({ part }) => part))
  return splitAll(answers, left).map((portion) => ({
    segments: [...context.map(({ part }) => part), ...portion.segments],
    at: [...context.map(({ segment }) => ({ segment, offset: 0 })), ...portion.at],
  }))
}

type Placed = { readonly part: Segment; readonly segment: number }

const lengthOf = (segments: readonly Segment[]): number => segments.reduce((sum, { text }) => sum + text.length, 0)

function shorten(context: readonly Placed[], most: number): Placed[] {
  let left = most
  return context.flatMap(({ part, segment }) => {
    const text = part.text.slice(0, left)
    left -= text.length
    return text === '' ? [] : [{ part: { ...part, text }, segment }]
  })
}

function splitAll(placed: readonly Placed[], maxChars: number): readonly Portion[] {
  const portions: Portion[] = []
  let open: { segments: Segment[]; at: { segment: number; offset: number }[]; chars: number } | undefined
  const close = () => {
    if (open) portions.push(open)
    open = undefined
  }
  for (const {
    segment,
    part: { role, text },
  } of placed) {
    for (const { from, to } of partsOf(text.length, maxChars)) {
      if (open && open.chars + (to - from) > maxChars) close()
      open ??= { segments: [], at: [], chars: 0 }
      open.segments.push({ role, text: text.slice(from, to) })
      open.at.push({ segment, offset: from })
      open.chars += to - from
    }
  }
  close()
  return portions
}

function partsOf(length: number, maxChars: number): { from: number; to: number }[] {
  const overlap = Math.min(overlapChars, maxChars >> 1)
  const parts = [{ from: 0, to: Math.min(length, maxChars) }]
  for (let last = parts[0]; last && last.to < length; ) {
    const from = last.to - overlap
    last = { from, to: Math.min(length, from + maxChars) }
    parts.push(last)
  }
  return parts
}

/** A finding about a portion, as one about the segments it was made from. */
export function placeFinding(finding: Finding, { at }: Portion): Finding {
  const place = finding.span && at[finding.span.segment]
  if (!finding.span || !place) return finding
  const { start, end } = finding.span
  return { ...finding, span: { segment: place.segment, start: start + place.offset, end: end + place.offset } }
}
