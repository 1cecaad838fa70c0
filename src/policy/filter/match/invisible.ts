/**
 * The inside of a character class of what is not seen where a text is shown: zero-width characters, bidirectional controls, variation
 * selectors, tags, fillers. The one list: what a matcher passes over and a check of the match does not would be a way to hide.
 */
export const invisibleClass =
  '\\p{Cf}\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u2065\\u3164\\ufe00-\\ufe0f\\uffa0\\ufff0-\\ufff8\\u{e0000}-\\u{e0fff}'
