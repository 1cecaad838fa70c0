import { mutateBytes, mutateJson, repeat } from '../json-text.ts'
import type { Random } from '../random.ts'
import { inferenceRoutes } from '../routes.ts'
import { richBodies } from '../valid-bodies.ts'
import type { RequestDraft, RequestMutation } from './draft.ts'

/** What the request says. */

const hasValue = (draft: RequestDraft): boolean => draft.value !== undefined
const hasMessages = (draft: RequestDraft): boolean => Array.isArray((draft.value as { messages?: unknown })?.messages)

function repeatField(draft: RequestDraft, field: string, count: number): void {
  const value = (draft.value ?? {}) as Record<string, unknown>
  const items = Array.isArray(value[field]) ? (value[field] as unknown[]) : [{ role: 'user', content: 'x' }]
  draft.value = {
    ...value,
    [field]: repeat(items, Math.ceil(count / Math.max(1, items.length)))
      .flat()
      .slice(0, count),
  }
}

export const valueMutations: readonly RequestMutation[] = [
  ...Array.from({ length: 12 }, () => ({
    name: 'value',
    fits: hasValue,
    apply: (draft: RequestDraft, random: Random) => {
      draft.value = mutateJson(draft.value, random)
    },
  })),
  {
    name: 'model',
    fits: hasValue,
    apply: (draft, random) => {
      const model = random.pick([
        'none',
        '',
        'GOOD00-OPENAI',
        'good00-opena',
        '../x',
        '__proto__',
        'é',
        'a'.repeat(5000),
        '\0',
      ])
      draft.value = { ...(draft.value as object), model }
    },
  },
  {
    name: 'another wire',
    fits: hasValue,
    apply: (draft, random) => {
      const { call } = random.pick(inferenceRoutes)
      if (call) draft.value = { ...(draft.value as object), ...random.pick(richBodies(call.wire, call.kind)) }
    },
  },
  {
    name: 'stream',
    fits: hasValue,
    apply: (draft, random) => {
      draft.value = { ...(draft.value as object), stream: random.chance(0.8) }
    },
  },
  {
    name: 'many messages',
    fits: hasMessages,
    apply: (draft, random) => repeatField(draft, 'messages', random.pick([100, 2048, 2049, 5000])),
  },
  {
    name: 'many tools',
    fits: hasMessages,
    apply: (draft, random) => repeatField(draft, 'tools', random.pick([128, 129, 3000])),
  },
]

export const bodyMutations: readonly RequestMutation[] = [
  ...Array.from({ length: 5 }, () => ({
    name: 'bytes',
    apply: (draft: RequestDraft, random: Random) => void draft.bodyEdits.push((body) => mutateBytes(body, random)),
  })),
  { name: 'no body', apply: (draft) => void draft.bodyEdits.push(() => Buffer.alloc(0)) },
  {
    name: 'no object',
    apply: (draft, random) => {
      const text = random.pick(['null', '[]', '5', '"x"', 'true', '{}', '[{}]', ' ', '{'])
      draft.bodyEdits.push(() => Buffer.from(text))
    },
  },
  {
    name: 'deep body',
    apply: (draft, random) => {
      const depth = random.pick([100, 2000, 100_000])
      draft.bodyEdits.push(() => Buffer.from(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`))
    },
  },
]
