import { beforeEach, expect, test } from 'bun:test'
import type { Json, JsonObject } from '../../../core/json.ts'
import type { ServiceRequest, ServiceRoute } from '../../../core/service-route.ts'
import { openWordJudge, type WordJudge } from '../judge.fixture.ts'
import { openModerations } from './open.ts'

let words: WordJudge
let route: ServiceRoute

beforeEach(() => {
  words = openWordJudge()
  route = openModerations({ judge: words.judge }).routes[0] as ServiceRoute
})

async function moderate(input: Json, signal = new AbortController().signal): Promise<JsonObject> {
  const answer = await route.answer({ body: { input }, signal } as unknown as ServiceRequest)
  return answer.body as JsonObject
}

type Result = {
  flagged: boolean
  categories: Record<string, boolean>
  category_scores: Record<string, number>
  category_applied_input_types: Record<string, string[]>
}
const resultsOf = async (input: Json) => (await moderate(input)).results as unknown as Result[]

test('tells of every category whether it was judged, and of those that were what was found', async () => {
  const answer = await moderate('hate=5 violence=3')
  expect(answer).toMatchObject({ id: expect.stringMatching(/^modr-\w{29}$/), model: 'words/1' })
  const [result] = answer.results as unknown as Result[]
  expect(result?.flagged).toBe(true)
  for (const field of ['categories', 'category_scores', 'category_applied_input_types'] as const) {
    expect(Object.keys(result?.[field] ?? {})).toHaveLength(13)
  }
  expect(result?.categories).toMatchObject({ hate: true, violence: false, 'hate/threatening': false })
  expect(result?.category_scores).toMatchObject({ hate: 5 / 7, violence: 3 / 7, sexual: 0, illicit: 0 })
  expect(result?.category_applied_input_types).toMatchObject({ hate: ['text'], sexual: ['text'], illicit: [] })
})

test('a list of texts is as many inputs, in their order; a list of parts is one', async () => {
  const texts = Array.from({ length: 20 }, (_, index) => (index % 3 === 0 ? 'sexual=6' : 'fine'))
  expect((await resultsOf(texts)).map(({ flagged }) => flagged)).toEqual(texts.map((text) => text !== 'fine'))
  const parts = await resultsOf([
    { type: 'text', text: 'fine' },
    { type: 'text', text: 'self_harm=4' },
  ])
  expect(parts.map(({ categories }) => categories['self-harm'])).toEqual([true])
})

test.each<[string, Json, string]>([
  [
    'an image',
    [
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: { url: 'https://x.test' } },
    ],
    'input[1]',
  ],
  ['nothing', [], 'input'],
  ['too many', Array(2049).fill('x'), 'input'],
])('refuses %s, naming the place', async (_name, input, param) => {
  await expect(moderate(input)).rejects.toMatchObject({ code: 'invalid-request', detail: { param } })
})

test('stops when the caller goes away', async () => {
  await expect(moderate('hate=5', AbortSignal.abort())).rejects.toMatchObject({ code: 'client-gone' })
  expect(words.asked).toEqual([])
})

test("stands in for OpenAI's own models only", () => {
  const isFor = (name: string) => route.standsInFor?.(name)
  for (const name of ['omni-moderation-latest', 'omni-moderation-2024-09-26', 'text-moderation-stable']) {
    expect(isFor(name)).toBe(true)
  }
  for (const name of ['moderation', 'omni-moderation', 'my-omni-moderation-latest', '']) expect(isFor(name)).toBe(false)
})
