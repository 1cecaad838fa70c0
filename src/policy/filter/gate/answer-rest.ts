import type { Rest } from '../../../core/call.ts'
import type { Json, JsonObject } from '../../../core/json.ts'
import type { Direction } from '../direction.ts'
import { type Ledger, openLedger } from '../ledger.ts'
import type { PiiMatch } from '../plan.ts'
import { scanText } from '../scan.ts'
import { judgedFields, listSaid, mapSaid } from './rest-texts.ts'
import { applyEdits, editsOf } from './text-events.ts'

export type RestOptions = {
  readonly context: { readonly direction: Direction }
  writeRedaction(match: PiiMatch, text: string): string
  /** Told of a field in which something was found. */
  onJudged(ledger: Ledger): void
}

/**
 * The event or result without those unknown fields of the answer itself, beside its choices, that say what is kept back. They are
 * judged by what answers at once.
 */
export function gateRest<T extends { readonly rest?: Rest | undefined }>(carrier: T, options: RestOptions): T {
  const { rest } = carrier
  if (!rest) return carrier
  const fields: JsonObject = { ...rest.fields }
  for (const [name, value] of judgedFields(rest.fields)) {
    const ledger = openLedger(options.context.direction)
    const judged = judgeFields({ [name]: value }, 'answer', ledger, options)
    if (ledger.explanations.length > 0) options.onJudged(ledger)
    if (ledger.isFiltered) delete fields[name]
    else fields[name] = judged[name] as Json
  }
  return { ...carrier, rest: { ...rest, fields } }
}

/** The fields, judged, with what is to be unreadable replaced in each of their texts. `at`: where explanations say that they are. */
export function judgeFields(
  fields: JsonObject,
  at: string,
  ledger: Ledger,
  { context: { direction }, writeRedaction }: Omit<RestOptions, 'onJudged'>,
): JsonObject {
  const judged: JsonObject = { ...fields }
  for (const [name, value] of judgedFields(fields)) {
    const found = listSaid(value, name).map(({ path, text }) =>
      scanText(direction, { role: 'assistant', text }, `${at}.${path}`, ledger),
    )
    if (found.every(({ length }) => length === 0)) continue
    let place = 0
    judged[name] = mapSaid(value, (text) => {
      const edits = editsOf(found[place++] ?? [], text, writeRedaction)
      return applyEdits(text, 0, edits)
    })
  }
  return judged
}
