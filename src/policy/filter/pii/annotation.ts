import type { JsonObject } from '../../../core/json.ts'
import type { PiiAction } from '../plan.ts'

/**
 * What answers say about personal data: `{filtered, detected, sub_categories}`, one sub-category per type, in the order in which they
 * came. `filtered` is true where a type that blocks was found.
 */
export function writePiiAnnotation(
  found: readonly { readonly type: string; readonly action: PiiAction }[],
): JsonObject {
  const actions = new Map(found.map(({ type, action }) => [type, action]))
  return {
    filtered: found.some(({ action }) => action === 'block'),
    detected: found.length > 0,
    sub_categories: [...actions].map(([type, action]) => ({
      sub_category: type,
      filtered: action === 'block',
      detected: true,
      redacted: action === 'redact',
    })),
  }
}
