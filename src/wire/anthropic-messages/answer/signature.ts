import { createHash } from 'node:crypto'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'

/**
 * The signature of a thought on its way from one end of this protocol to the other, with what tells whether the thought is still the
 * one that was signed: the model's server refuses a signature under other words.
 */
export function writeSigned(signature: string, thought: string): JsonObject {
  return { signature, digest: digestOf(thought) }
}

/** The signature, where it is of exactly this thought. */
export function readSigned(signed: Json | undefined, thought: string): string | undefined {
  if (!isJsonObject(signed) || typeof signed.signature !== 'string') return undefined
  return signed.digest === digestOf(thought) ? signed.signature : undefined
}

/** A number, so that no filter takes it for a text. */
function digestOf(text: string): number {
  return createHash('sha256').update(text).digest().readUIntBE(0, 6)
}
