import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { checkFiles, findOrphans } from '../support/batches/check-files.ts'
import { type BatchView, hasEnded, waitForBatch } from '../support/batches/client.ts'
import { customIdOf } from '../support/batches/input.ts'
import { type NativeUpstream, startNativeUpstream } from '../support/batches/native-upstream.ts'
import { isRefused } from '../support/batches/upstream.ts'
import { type BatchWorld, createBatchWorld } from '../support/batches/world.ts'
import type { SeenRequest } from '../support/fake-upstream.ts'

const limitMs = 180_000
const lines = 400
const lineBytes = 400

let upstream: NativeUpstream
let world: BatchWorld

beforeEach(async () => {
  upstream = await startNativeUpstream()
})
afterEach(async () => {
  await world.remove()
  await upstream.stop()
})

const wanted = (prefix: string) => Array.from({ length: lines }, (_, index) => customIdOf({ prefix }, index)).toSorted()

/** Every custom id once in the files, and none of them more than once upstream. */
async function expectOnce(batch: BatchView, prefix: string): Promise<void> {
  expect(batch).toMatchObject({ status: 'completed', errors: null })
  expect((await checkFiles(world.client, batch, { prefix, lines })).wrong).toEqual([])
  const said = upstream.batches.flatMap((made) => made.lines.map(({ body }) => saidBy(body.messages)))
  expect(said.toSorted()).toEqual(wanted(prefix))
}

const saidBy = (messages: readonly { readonly content: unknown }[]): string =>
  /[\w]+-\d+/.exec(JSON.stringify(messages))?.[0] ?? ''

const is = (request: SeenRequest, method: string, end: RegExp): boolean =>
  request.method === method && end.test(request.path.split('?')[0] ?? '')

const order = /\/batches$/

/** What the dying server was about to do, or had just done. */
const moments: readonly (readonly [string, 'before' | 'after', (request: SeenRequest) => boolean])[] = [
  ['an upload', 'before', (request) => is(request, 'POST', /\/files$/)],
  ['an order that did not come', 'before', (request) => is(request, 'POST', order)],
  ['an order that came', 'after', (request) => is(request, 'POST', order)],
  ['a look', 'after', (request) => is(request, 'GET', /\/batches\/[^/]+$/)],
  ['the results', 'before', (request) => is(request, 'GET', /\/(content|results)$/)],
]

const backends = [
  ['openai', { protocol: 'openai' }],
  ['anthropic', { protocol: 'anthropic' }],
] as const

describe.each(backends)('a batch at an upstream that speaks %s', (protocol, backend) => {
  const open = async (more: object = {}) => {
    const url = protocol === 'anthropic' ? upstream.url : `${upstream.url}/v1`
    world = await createBatchWorld(upstream, { backend: { ...backend, url, nativeBatch: true }, ...more })
  }

  test(
    'goes there whole, and comes back as if it had been run here',
    async () => {
      await open()
      const { batch, inputId } = await world.submit({ prefix: 'whole', lines, lineBytes })
      const ended = await waitForBatch(world.client, batch.id, hasEnded)
      await expectOnce(ended, 'whole')
      expect(upstream.single).toEqual([])
      expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
      expect([...upstream.files.keys()]).toEqual([])
      const usage = await world.server().run(['usage', '--output', 'json'])
      const answered = wanted('whole').filter((id) => !isRefused(id)).length
      expect(JSON.parse(usage.stdout)[0]).toMatchObject({
        requests: lines,
        promptTokens: answered * 10,
        completionTokens: answered * 5,
      })
    },
    limitMs,
  )

  test(
    'is filtered: a prompt that is kept back never goes there, an answer that is kept back is told',
    async () => {
      const block = (pattern: string, source: string) => ({
        list: { name: `words-${source}`.toLowerCase(), items: [{ pattern }] },
        use: { blocklistName: `words-${source}`.toLowerCase(), source, blocking: true },
      })
      const [prompts, answers] = [block('filtered-1', 'Prompt'), block('answer to filtered-2', 'Completion')]
      const policy = {
        name: 'strict',
        basePolicyName: 'Microsoft.Nil',
        customBlocklists: [prompts.use, answers.use],
      }
      const config = { raiBlocklists: [prompts.list, answers.list], raiPolicies: [policy] }
      await open({ raiPolicyName: 'strict', config })
      const { batch } = await world.submit({ prefix: 'filtered', lines: 5, lineBytes })
      const ended = await waitForBatch(world.client, batch.id, hasEnded)
      const read = async (id: string | null) =>
        (await world.client.readContent(id ?? ''))
          .split('\n')
          .filter(Boolean)
          .map((line) => JSON.parse(line))
      const failed = await read(ended.error_file_id)
      const statuses = failed.map(({ custom_id: id, response }) => [id, response.status_code, response.body.error.code])
      expect(statuses).toEqual([
        ['filtered-0', 400, 'context_length_exceeded'],
        ['filtered-1', 400, 'content_filter'],
      ])
      const done = await read(ended.output_file_id)
      const reasons = done.map(({ custom_id: id, response }) => [id, response.body.choices[0].finish_reason])
      expect(reasons).toEqual([
        ['filtered-2', 'content_filter'],
        ['filtered-3', 'stop'],
        ['filtered-4', 'stop'],
      ])
      expect(upstream.batches.flatMap((made) => made.lines.map(({ body }) => saidBy(body.messages)))).toEqual([
        'filtered-0',
        'filtered-2',
        'filtered-3',
        'filtered-4',
      ])
      expect(upstream.single).toEqual([])
    },
    limitMs,
  )

  // Where the order brings the lines along, there is no upload.
  test.each(protocol === 'openai' ? moments : moments.slice(1))(
    'kill -9 at %s (%s): every line once, there and here',
    async (_name, when, isIt) => {
      await open()
      let killed: Promise<void> | undefined
      const kill = (request: SeenRequest) => {
        if (killed || !isIt(request)) return undefined
        killed = world.killAndStart()
        return [{ do: 'cut' }] as const
      }
      upstream[when] = kill
      const { batch, inputId } = await world.submit({ prefix: 'killed', lines, lineBytes })
      const ended = await waitForBatch(world.client, batch.id, hasEnded, limitMs, 200)
      await killed
      expect(killed).toBeDefined()
      await expectOnce(ended, 'killed')
      expect(upstream.single).toEqual([])
      expect(await findOrphans(world.client, [inputId], [ended])).toEqual([])
    },
    limitMs,
  )

  test(
    'is cancelled there too, and what was answered is taken',
    async () => {
      await open()
      upstream.isHeld = true
      upstream.results = (results) => results.slice(1, 101)
      const { batch } = await world.submit({ prefix: 'cancelled', lines, lineBytes })
      await waitForBatch(world.client, batch.id, () => upstream.batches.length > 0)
      expect((await world.client.cancel(batch.id)).status).toBe('cancelling')
      const ended = await waitForBatch(world.client, batch.id, hasEnded)
      expect(ended.status).toBe('cancelled')
      const { output, error, wrong } = await checkFiles(world.client, ended, { prefix: 'cancelled', lines }, true)
      expect([wrong, output + error]).toEqual([[], 100])
      expect(upstream.batches.map(({ isCancelled }) => isCancelled)).toEqual([true])
    },
    limitMs,
  )
})
