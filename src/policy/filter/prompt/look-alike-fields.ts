import type { Exchange } from '../../../core/exchange.ts'
import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/** Fields whose text models read. */
const read: ReadonlySet<string> = new Set([
  'messages',
  'prompt',
  'suffix',
  'system',
  'tools',
  'functions',
  'role',
  'content',
  'type',
  'text',
  'name',
  'tool_calls',
  'function_call',
  'input',
  'instructions',
  'arguments',
  'output',
  'summary',
])

/**
 * Some servers take `Messages` for `messages`, and of a field that is there twice the first: what they then read nobody has judged. The
 * first is refused with Fault `invalid-request`. Against the second the request goes on as it was understood, not as it was written.
 */
export function refuseLookAlikes(exchange: Exchange): void {
  const { call } = exchange
  const { source } = call
  if (!source) return
  refuseIn(source.body, '')
  for (const list of ['messages', 'input']) {
    for (const [index, entry] of entriesOf(source.body[list])) {
      refuseIn(entry, `${list}[${index}].`)
      for (const name of ['content', 'output', 'summary']) {
        for (const [place, part] of entriesOf(entry[name])) refuseIn(part, `${list}[${index}].${name}[${place}].`)
      }
    }
  }
  exchange.call = { ...call, source: { ...source, text: JSON.stringify(source.body) } }
}

function entriesOf(value: Json | undefined): readonly (readonly [number, JsonObject])[] {
  if (!Array.isArray(value)) return []
  return value.flatMap((entry, index) => (isJsonObject(entry) ? [[index, entry] as const] : []))
}

function refuseIn(fields: JsonObject, where: string): void {
  for (const name of Object.keys(fields)) {
    if (read.has(name)) continue
    const plain = name.normalize('NFKC').toLowerCase()
    if (!read.has(plain)) continue
    const param = `${where}${name}`
    throw new Fault(
      'invalid-request',
      `Unknown field '${param}': under a content filter a field may not look like another one. Write '${plain}', or leave it out.`,
      { param },
    )
  }
}
