import type { JsonObject } from '../../../core/json.ts'
import type { PiiAction } from '../plan.ts'

/**
 * What answers say about personal data: `{filtered, detected, redacted_text?, sub_categories}`, one sub-category per type, in the
 * order in which they came. `filtered` is true where a type that blocks was found. `redactedText` only where the caller may read it.
 */
export function writePiiAnnotation(
  found: readonly { readonly type: string; readonly action: PiiAction }[],
  redactedText?: string,
): JsonObject {
  const actions = new Map(found.map(({ type, action }) => [type, action]))
  return {
    filtered: found.some(({ action }) => action === 'block'),
    detected: found.length > 0,
    ...(redactedText === undefined ? {} : { redacted_text: redactedText }),
    sub_categories: [...actions].map(([type, action]) => ({
      sub_category: type,
      filtered: action === 'block',
      detected: true,
      redacted: action === 'redact',
    })),
  }
}
