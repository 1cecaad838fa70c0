import { createRandom, deriveSeed, type Random } from './random.ts'
import type { RawRequest } from './raw-client.ts'
import { bodyMutations, valueMutations } from './request/content-mutations.ts'
import { type Credentials, draftOf, type RequestDraft, type RequestMutation, render } from './request/draft.ts'
import { headerMutations } from './request/header-mutations.ts'
import { pathMutations } from './request/path-mutations.ts'
import { wireMutations } from './request/wire-mutations.ts'
import {
  type FuzzRoute,
  inferenceRoutes,
  listRoutes,
  managementRoutes,
  otherRoutes,
  type Surface,
  serviceRoutes,
} from './routes.ts'

export type RequestCase = {
  readonly request: RawRequest
  readonly route: FuzzRoute
  /** Unknown once the path was changed: another surface may answer then. */
  readonly surface: Surface | undefined
  readonly method: string
  /** Names of the mutations, for people. */
  readonly names: readonly string[]
}

/** The mutated request of `seed`. `keep` names the mutations, by their place, that are applied; all when absent. */
export function mutateRequest(seed: number, credentials: Credentials, keep?: ReadonlySet<number>): RequestCase {
  const random = createRandom(seed)
  const route = pickRoute(random)
  const draft = draftOf(route, random, credentials)
  // What fits is judged by the request as it was, so that a mutation left out does not change the others.
  const original = { ...draft }
  const count = random.chance(0.03) ? 0 : random.chance(0.6) ? 1 : random.int(2, 4)
  const names: string[] = []
  for (let i = 0; i < count; i++) {
    const own = createRandom(deriveSeed(seed, i))
    const group = pickGroup(original, own)
    const fitting = group.filter(({ fits }) => !fits || fits(original))
    const mutation = own.pick(fitting.length > 0 ? fitting : headerMutations)
    names.push(mutation.name)
    if (!keep || keep.has(i)) mutation.apply(draft, own, credentials)
  }
  return {
    request: render(draft, random),
    route,
    surface: draft.isPathKnown ? route.surface : undefined,
    method: draft.method,
    names,
  }
}

function pickRoute(random: Random): FuzzRoute {
  const draw = random.next()
  if (draw < 0.76) return random.pick(inferenceRoutes)
  if (draw < 0.81) return random.pick(listRoutes)
  if (draw < 0.88) return random.pick(serviceRoutes)
  return random.pick(draw < 0.96 ? managementRoutes : otherRoutes)
}

/** Mostly what the request says, then how it says it. */
function pickGroup(draft: RequestDraft, random: Random): readonly RequestMutation[] {
  const draw = random.next()
  if (draw < 0.62 && (draft.value !== undefined || draft.body))
    return random.chance(0.8) ? valueMutations : bodyMutations
  if (draw < 0.72) return pathMutations
  return draw < 0.93 ? headerMutations : wireMutations
}
