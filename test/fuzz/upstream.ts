import { plantedAnswer } from './filter/planted-answers.ts'
import { createRandom, deriveSeed } from './random.ts'
import { contentMutations, shape } from './upstream/content-mutations.ts'
import { draftOf, render, type UpstreamQuestion, type UpstreamScript } from './upstream/draft.ts'
import { goodAnswer } from './upstream/good-answers.ts'
import { wireMutations } from './upstream/wire-mutations.ts'

const plantSalt = 0x91a

/**
 * The mutated answer of `seed` to a question. `keep` names the mutations, by their place, that are applied; all when absent.
 * `isPlanted`: what a filter is to keep back is in it.
 */
export function mutateAnswer(
  seed: number,
  question: UpstreamQuestion,
  keep?: ReadonlySet<number>,
  isPlanted = false,
): UpstreamScript {
  const random = createRandom(seed)
  const { wire, kind, text } = question
  // Now and then the other form than the one that was asked for.
  const isStream = random.chance(0.06) ? !question.isStream : question.isStream
  const good = goodAnswer(wire, kind, isStream, text, random.chance(0.6))
  const own = createRandom(deriveSeed(seed, plantSalt))
  const planted = isPlanted ? plantedAnswer(wire, kind, isStream, question.isJson, own) : undefined
  const draft = draftOf(planted ?? good)
  if (draft.events && random.chance(0.3)) draft.framing = 'close'
  // What is planted mostly gets to the filter as it is.
  const count = planted && own.chance(0.6) ? 0 : random.chance(0.55) ? 1 : random.int(2, 4)
  const names: string[] = []
  for (let i = 0; i < count; i++) {
    const own = createRandom(deriveSeed(seed, i))
    const mutation = own.chance(0.5) ? own.pick(contentMutations) : own.pick(wireMutations)
    if (mutation.weight !== undefined && !own.chance(mutation.weight)) {
      if (!keep || keep.has(i)) shape(draft, own)
      names.push('shape')
      continue
    }
    names.push(mutation.name)
    if (!keep || keep.has(i)) mutation.apply(draft, own)
  }
  return render(draft, random, names)
}
