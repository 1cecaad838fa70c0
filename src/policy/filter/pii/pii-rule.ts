import type { PiiAction, PiiRule } from '../plan.ts'
import { createFinder, type PiiFinder } from './find-pii.ts'
import { isPiiType, piiTypes } from './pii-types.ts'
import { recognisers } from './recognisers.ts'

/**
 * Looks for the types that have an action. `restores`: whether what was redacted in a prompt is put back where the answer repeats it.
 * Throws a RangeError for a type that does not exist. Nothing is compiled before the first text comes.
 */
export function createPiiRule(actions: ReadonlyMap<string, PiiAction>, restores: boolean): PiiRule {
  for (const type of actions.keys()) {
    if (!isPiiType(type)) {
      throw new RangeError(
        `There is no type of personal data '${type}'. Take one of ${Object.keys(piiTypes).join(', ')}.`,
      )
    }
  }
  let finder: PiiFinder | undefined
  const ready = () => {
    finder ??= finderOf(actions)
    return finder
  }
  return { actions, restores, find: (text) => ready().find(text), open: () => ready().open() }
}

/** By the types that they look for: most policies have the same few. Keeps no more of them than anybody has at once. */
const finders = new Map<string, PiiFinder>()
const mostFinders = 16

function finderOf(types: ReadonlyMap<string, PiiAction>): PiiFinder {
  const wanted = recognisers.filter(({ type }) => types.has(type))
  const key = wanted.map(({ type }) => type).join()
  let finder = finders.get(key)
  if (finder === undefined) {
    const oldest = finders.keys().next()
    if (finders.size >= mostFinders && !oldest.done) finders.delete(oldest.value)
    finder = createFinder(wanted)
    finders.set(key, finder)
  }
  return finder
}
