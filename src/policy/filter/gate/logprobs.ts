import type { TokenLogprob } from '../../../core/event.ts'
import type { Direction } from '../direction.ts'

/** Without the alternatives to a token that the operator's lists keep back. */
export function cleanLogprobs(
  logprobs: readonly TokenLogprob[] | undefined,
  { patterns }: Direction,
): readonly TokenLogprob[] | undefined {
  const lists = patterns.filter(({ blocking }) => blocking)
  if (!logprobs || lists.length === 0) return logprobs
  const isClean = ({ token }: { readonly token: string }) =>
    lists.every((list) => list.matcher.find(token).length === 0)
  return logprobs.map((entry) => ({ ...entry, top: entry.top.filter(isClean) }))
}
