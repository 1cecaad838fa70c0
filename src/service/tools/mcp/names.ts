import { createHash } from 'node:crypto'
import type { JsonObject } from '../../../core/json.ts'

/** What a function may be called, at most. */
const mostLength = 64
const digestLength = 8
const plain = /^[A-Za-z0-9_-]+$/

/**
 * The name under which a model is offered a tool of a server: `mcp__docs__search`. Labels have no two underscores in a row, so no two tools
 * share one; what is too long, or has other characters, ends in a digest of the whole.
 */
export function offerName(label: string, tool: string): string {
  const whole = `mcp__${label}__${tool}`
  if (whole.length <= mostLength && plain.test(whole)) return whole
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, digestLength)
  const kept = whole.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, mostLength - digestLength - 1)
  return `${kept}_${digest}`
}

/** What the model reads of a call in the history: which function it called, with what, and what came of it. */
export function recallCall(item: JsonObject): {
  readonly name: string
  readonly args: string
  readonly text: string
} {
  const { server_label: label, name, arguments: args, output, error } = item
  return {
    name: offerName(asText(label), asText(name)),
    args: asText(args),
    text: error === undefined || error === null ? asText(output) : sayFailure(asText(error)),
  }
}

export function sayFailure(error: string): string {
  return `The call failed: ${error}`
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
