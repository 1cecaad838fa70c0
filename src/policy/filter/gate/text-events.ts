import type { Event } from '../../../core/event.ts'
import type { PiiMatch } from '../plan.ts'
import type { Edit } from './channel.ts'
import type { JsonTextReader } from './json-text.ts'

export type ChoiceEvent = Extract<Event, { readonly choice: number }>
export type TextDelta = Extract<ChoiceEvent, { type: 'text-delta' }>
export type TextEvent = Extract<
  ChoiceEvent,
  { type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' | 'tool-call-delta' }
>

export function isText(event: ChoiceEvent): event is TextEvent {
  return 'text' in event || event.type === 'tool-call-delta'
}

export function textOf(event: TextEvent): string {
  return event.type === 'tool-call-delta' ? event.arguments : event.text
}

export function withText(
  event: TextEvent,
  text: string,
  filter: TextEvent['filter'],
  logprobs: TextDelta['logprobs'],
): TextEvent {
  if (event.type === 'tool-call-delta') return { ...event, arguments: text, filter }
  if (event.type === 'text-delta') return { ...event, text, logprobs, filter }
  return { ...event, text, filter }
}

/** What was held back goes out with what follows it, not as a piece of its own. undefined for what does not belong together. */
export function joinText(last: ChoiceEvent, next: TextEvent): TextEvent | undefined {
  if (last.type !== next.type) return undefined
  if (last.type === 'tool-call-delta' && next.type === 'tool-call-delta') {
    return last.index === next.index ? { ...next, arguments: last.arguments + next.arguments } : undefined
  }
  if (last.type === 'text-delta' && next.type === 'text-delta') {
    if (last.logprobs || next.logprobs || last.rest || next.rest) return undefined
    return { ...next, text: last.text + next.text }
  }
  return last.type !== 'tool-call-delta' && next.type !== 'tool-call-delta'
    ? { ...next, text: last.text + next.text }
    : undefined
}

/** What is put in the place of each match in the text. */
export function editsOf(
  matches: readonly PiiMatch[],
  text: string,
  write: (match: PiiMatch, text: string) => string,
): readonly Edit[] {
  return matches
    .toSorted((a, b) => a.start - b.start)
    .map((match) => ({
      start: match.start,
      end: match.end,
      replacement: write(match, text.slice(match.start, match.end)),
    }))
}

/** The characters from `from` on, with what is to be unreadable replaced: where that is cut into pieces, by the first of them. */
export function applyEdits(text: string, from: number, edits: readonly Edit[], json?: JsonTextReader): string {
  const to = from + text.length
  let written = ''
  let at = from
  for (const edit of edits) {
    const start = json ? json.rawOf(edit.start) : edit.start
    const end = json ? json.rawOf(edit.end) : edit.end
    if (end <= at) continue
    if (start >= to) break
    if (start >= at) written += text.slice(at - from, start - from) + edit.replacement
    at = Math.min(end, to)
  }
  return written + text.slice(at - from)
}
