import { isJsonObject, type Json } from '../../../core/json.ts'
import type { ItemRow } from '../../../port/tables/runs/port.ts'
import { besideOf } from '../kept-beside.ts'

/**
 * About how many tokens something is to a model: enough to decide what of a long thread it is shown. Four characters are one, with wide
 * ones counted for more; no tokenizer, since the deployment may be any model's.
 */
const charactersPerToken = 4
const perItem = 6
/** An image or a document, whose text says nothing of its length. */
const perFile = 800

export function measureItem(row: ItemRow): number {
  const { call } = besideOf(row)
  if (call) return perItem * 2 + measureText(call.arguments) + measureText(call.output ?? '')
  const { content, arguments: text, output, encrypted_content: sealed } = row.document
  return perItem + measure(content) + measure(text) + measure(output) + measure(sealed)
}

export function measure(value: Json | undefined): number {
  if (value === undefined || value === null) return 0
  if (typeof value === 'string') return measureText(value)
  if (typeof value !== 'object') return 1
  if (Array.isArray(value)) {
    let sum = 0
    for (const item of value) sum += measure(item)
    return sum
  }
  if (isJsonObject(value) && (value.type === 'input_image' || value.type === 'input_file')) return perFile
  let sum = 0
  for (const name in value)
    if (name !== 'annotations' && name !== 'logprobs' && name !== 'type') sum += measure(value[name])
  return sum
}

const firstWide = 0x2e80

function measureText(text: string): number {
  // Long texts are sampled: a thread's length is what matters.
  const stride = text.length > 4_096 ? Math.ceil(text.length / 1_024) : 1
  let looked = 0
  let wide = 0
  for (let i = 0; i < text.length; i += stride) {
    looked++
    if (text.charCodeAt(i) >= firstWide) wide++
  }
  const share = looked === 0 ? 0 : wide / looked
  return Math.ceil((text.length * (1 - share)) / charactersPerToken + text.length * share)
}
