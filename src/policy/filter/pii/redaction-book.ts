/**
 * The placeholders of one call, and what they stand for: `[EMAIL_1]` for the first e-mail address. Holds personal data, so it lives as
 * long as the call does and is never written anywhere.
 */
export type RedactionBook = {
  /** The same for the same value of the same type, in whatever message. */
  placeholderOf(type: string, value: string): string
  originalOf(placeholder: string): string | undefined
  /** Whether some placeholder begins like that, and has more. */
  canBecome(beginning: string): boolean
  readonly isEmpty: boolean
}

/**
 * `texts`: all that the caller says, system messages and tool results too. What looks like a placeholder in them already is the
 * caller's own, so its number is not given out: it comes back as it was sent.
 */
export function openRedactionBook(texts: Iterable<string>): RedactionBook {
  const taken = new Set<string>()
  for (const text of texts) for (const [placeholder] of text.matchAll(placeholderShape)) taken.add(placeholder)
  const byValue = new Map<string, string>()
  const originals = new Map<string, string>()
  const counts = new Map<string, number>()

  function giveOut(type: string, value: string): string {
    const label = labelOf(type)
    let count = counts.get(label) ?? 0
    let placeholder: string
    do placeholder = `[${label}_${++count}]`
    while (taken.has(placeholder))
    counts.set(label, count)
    originals.set(placeholder, value)
    return placeholder
  }

  return {
    placeholderOf(type, value) {
      const key = `${type} ${value}`
      const known = byValue.get(key)
      if (known !== undefined) return known
      const placeholder = giveOut(type, value)
      byValue.set(key, placeholder)
      return placeholder
    },
    originalOf: (placeholder) => originals.get(placeholder),
    canBecome(beginning) {
      for (const placeholder of originals.keys()) {
        if (placeholder.length > beginning.length && placeholder.startsWith(beginning)) return true
      }
      return false
    },
    get isEmpty() {
      return originals.size === 0
    },
  }
}

/** More than the label of any type and any count need. */
export const longestPlaceholder = 64

const placeholderShape = /\[[A-Z][A-Z0-9_]*_\d+\]/g

/** `CreditCardNumber` is `CREDIT_CARD_NUMBER`, `USSocialSecurityNumber` is `US_SOCIAL_SECURITY_NUMBER`. */
function labelOf(type: string): string {
  return type.replace(/([a-z0-9])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, '$&_').toUpperCase()
}
