import { afterAll, beforeAll, expect, test } from 'bun:test'
import { join } from 'node:path'
import type { BudgetView, UsageView } from '../../src/control/api.ts'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** Usage, cost and budgets of the whole server, also when it is killed. */

let upstream: FakeUpstream
let ponto: ServerProcess
let folder: string

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script(
    json({
      choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    }),
  )
  folder = makeTempFolder()
  await start()
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  removeFolder(folder)
})

async function start(): Promise<void> {
  ponto = await startServer({ dataFolder: join(folder, 'data') })
}

async function run<T>(...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await ponto.run([...args, '--output', 'json'])
  expect([code, stderr]).toEqual([0, expect.any(String)])
  return JSON.parse(stdout)
}

const call = (key: string) =>
  fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': key },
    body: JSON.stringify({ model: 'gpt', max_tokens: 5, messages: [{ role: 'user', content: 'hi' }] }),
  })

test('kill -9 under load: keys, deployments and budgets are as before, and what was stored of usage', async () => {
  const prices = ['--price-input', '100', '--price-output', '200']
  await run('deployment', 'create', 'gpt', '--model', 'gpt-4o', '--backend', `${upstream.url}/v1`, ...prices)
  const budgets = ['--budget', 'tokens/day=1000000', '--budget', 'cost/month=1000']
  const { secret: busy } = await run<{ secret: string }>('key', 'create', 'busy', ...budgets)
  const { secret: spent } = await run<{ secret: string }>('key', 'create', 'spent', '--budget', 'tokens/month=60')

  for (let i = 0; i < 20; i++) expect((await call(busy)).status).toBe(200)
  const answers: number[] = []
  while (answers.at(-1) !== 429 && answers.length < 10) answers.push((await call(spent)).status)
  expect([answers[0], answers.at(-1)]).toEqual([200, 429])
  // Asking stores what is counted.
  const before = await run<UsageView[]>('usage', '--by', 'key')
  expect(before.find(({ key }) => key === 'busy')).toMatchObject({ requests: 20, promptTokens: 200, cost: 0.04 })

  let [sent, answered] = [20, 0]
  let isUp = true
  const load = Array.from({ length: 8 }, async () => {
    while (isUp) {
      sent++
      const status = await call(busy).then(
        (response) => response.text().then(() => response.status),
        () => 0,
      )
      if (status === 200) answered++
      if (answered === 200) {
        isUp = false
        await ponto.stop('SIGKILL')
      }
    }
  })
  await Promise.all(load)
  await start()

  const after = await run<UsageView[]>('usage', '--by', 'key')
  const row = after.find(({ key }) => key === 'busy') as UsageView
  expect(row.requests).toBeGreaterThanOrEqual(20)
  expect(row.requests).toBeLessThanOrEqual(sent)
  expect(after.find(({ key }) => key === 'spent')).toEqual(before.find(({ key }) => key === 'spent') as UsageView)
  const left = await run<BudgetView[]>('usage', 'budgets')
  expect(left).toMatchObject([
    { key: 'busy', unit: 'tokens', spent: row.promptTokens + row.completionTokens },
    { key: 'busy', unit: 'cost', spent: row.cost },
    { key: 'spent', unit: 'tokens' },
  ])

  const refused = await call(spent)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, null])
  expect(await refused.text()).toContain("The key 'spent' may use 60 tokens a month.")
  expect((await call(busy)).status).toBe(200)
}, 60_000)
