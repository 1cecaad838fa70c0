import type { Event } from '../../core/event.ts'
import { collectResult } from '../../core/result.ts'
import type { Captured } from '../../core/usage/request-record.ts'
import type { RequestContent } from '../../port/requests/port.ts'
import { createPiiRule } from '../filter/pii/pii-rule.ts'
import { piiTypes } from '../filter/pii/pii-types.ts'
import type { PiiAction } from '../filter/plan.ts'

/** Of each text that is kept. */
export const maxContentChars = 64 * 1024
const dayMs = 86_400_000

/** Everything that is recognised. */
const personal = createPiiRule(new Map<string, PiiAction>(Object.keys(piiTypes).map((type) => [type, 'redact'])), false)

/** What is kept of what was said: bounded, and without personal data where the operator wants none. `nowMs` is unix milliseconds. */
export async function writeContent(id: string, captured: Captured, nowMs: number): Promise<RequestContent> {
  const { prompt, sent, isRedacted, retentionDays } = captured
  const texts = { prompt, answer: await writeAnswer(captured.answer), sent }
  let { isCut } = captured
  const keep = (text: string): string => {
    if (text.length <= maxContentChars) return isRedacted ? redact(text) : text
    isCut = true
    // What was cut is no JSON any more; personal data across the cut is not recognised, so what stands before it goes too.
    const begin = text.slice(0, maxContentChars)
    return isRedacted ? redactText(begin).slice(0, -cutChars) : begin
  }
  const kept = Object.entries(texts).flatMap(([name, text]) => (text === '' ? [] : [[name, keep(text)] as const]))
  return {
    id,
    ...Object.fromEntries(kept),
    ...(isCut && { isCut: true as const }),
    ...(isRedacted && { isRedacted: true as const }),
    expiresAt: nowMs + retentionDays * dayMs,
  }
}

/** Both kinds fold alike; probabilities of tokens and pieces say nothing more. */
async function writeAnswer(answer: Captured['answer']): Promise<string> {
  if (!answer) return ''
  const { choices, ...result } = 'kind' in answer ? answer : await collectResult('chat', toAsync(answer))
  const texts = choices.map(({ logprobs: _, pieces: __, ...choice }) => choice)
  return JSON.stringify({ ...result, choices: texts })
}

async function* toAsync(events: readonly Event[]): AsyncGenerator<Event> {
  yield* events
}

/** Longer than anything that is recognised. */
const cutChars = 200

/** In JSON each text by itself, so that it is read as it was said and not as it is escaped. */
function redact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), (_name, value: unknown) =>
      typeof value === 'string' ? redactText(value) : value,
    )
  } catch {
    return redactText(text)
  }
}

function redactText(text: string): string {
  let redacted = ''
  let from = 0
  for (const { start, end, type } of personal.find(text)) {
    if (start < from) continue
    redacted += `${text.slice(from, start)}[${type}]`
    from = end
  }
  return redacted + text.slice(from)
}
