import type { LiveResource } from '../../src/boot/resources/live-resource.ts'
import { createResourceIndex } from '../../src/boot/resources/resource-index.ts'
import { makeResourceSpec } from '../../src/snapshot/resources/resource-spec.ts'
import { emptySnapshot } from '../../src/snapshot/snapshot.ts'
import type { Bench } from './bench.ts'

/** All of a resource that picking one looks at. */
function makeResource(name: string): LiveResource {
  const spec = makeResourceSpec(name)
  return { record: () => ({ spec }), current: () => emptySnapshot } as unknown as LiveResource
}

const own = makeResource('main')
const alone = createResourceIndex(own, [])
const many = createResourceIndex(
  own,
  Array.from({ length: 100 }, (_, i) => makeResource(`team-${i}`)),
)
const path = '/openai/v1/chat/completions'

function bench(name: string, index: typeof alone, address: string): Bench {
  const url = new URL(address)
  return {
    name: `resources: ${name}`,
    run(times) {
      for (let i = 0; i < times; i++) index.pick(url)
    },
  }
}

export const resourceIndexBenches: readonly Bench[] = [
  bench("the server's own, alone", alone, `http://localhost${path}`),
  bench("the server's own, beside 100", many, `http://localhost${path}`),
  bench('by host, of 100', many, `http://team-50.localhost${path}`),
  {
    // The address is taken apart too, since picking takes off what names the resource.
    name: 'resources: by path, of 100, with the URL',
    run(times) {
      for (let i = 0; i < times; i++) many.pick(new URL(`http://localhost/resources/team-50${path}`))
    },
  },
  {
    name: 'resources: that URL alone',
    run(times) {
      for (let i = 0; i < times; i++) new URL(`http://localhost/resources/team-50${path}`)
    },
  },
]
