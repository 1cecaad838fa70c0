import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readPayloads } from '../support/harness.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

/** The model that is committed, through the whole server, as a newcomer meets it. */

const folder = resolve(import.meta.dir, '../../models/builtin-nano')
let data: string
let ponto: ServerProcess

beforeAll(async () => {
  data = makeTempFolder()
  ponto = await startServer({ dataFolder: data })
  const made = await ponto.run(['deployment', 'create', 'Mistral-large', '--model', 'builtin-nano'])
  expect(made).toMatchObject({ code: 0, stderr: '' })
})
afterAll(async () => {
  await ponto.stop()
  removeFolder(data)
})

function post(path: string, body: object): Promise<Response> {
  return fetch(ponto.httpsUrl + path, {
    method: 'POST',
    headers: { 'api-key': ponto.key },
    body: JSON.stringify(body),
    tls: { ca: ponto.ca },
  })
}

const inference = '/models/chat/completions?api-version=2024-05-01-preview'
const riemann = [
  { role: 'system', content: 'You are a helpful assistant.' },
  { role: 'user', content: "Explain Riemann's conjecture in 1 paragraph" },
]

test('the file is the one its description names', () => {
  const { file, sha256, bytes } = JSON.parse(readFileSync(join(folder, 'builtin-nano.json'), 'utf8'))
  const content = readFileSync(join(folder, file))
  expect(content.length).toBe(bytes)
  expect(createHash('sha256').update(content).digest('hex')).toBe(sha256)
})

test('it answers in any letter case, and says honestly what it is', async () => {
  for (const model of ['mistral-large', 'MISTRAL-LARGE']) {
    const response = await post(inference, { model, messages: riemann })
    expect(response.status).toBe(200)
    const { choices, usage } = await response.json()
    expect(choices[0].message.content).toContain('built-in model of Ponto')
    expect(usage.completion_tokens).toBeGreaterThan(5)
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens)
  }
})

test('a stream says the same as the whole answer', async () => {
  const whole = await (await post(inference, { model: 'mistral-large', messages: riemann })).json()
  const payloads = await readPayloads(
    await post(inference, { model: 'mistral-large', messages: riemann, stream: true }),
  )
  expect(payloads.pop()).toBe('[DONE]')
  const chunks = payloads.map((payload) => JSON.parse(payload))
  const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')
  expect(text).toBe(whole.choices[0].message.content)
  expect(chunks.at(-1)).toMatchObject({
    choices: [{ finish_reason: 'stop' }],
    usage: { completion_tokens: whole.usage.completion_tokens },
  })
})

test('embeddings are vectors of the text', async () => {
  const embed = async (input: string[]) => {
    const answer = await (await post('/openai/v1/embeddings', { model: 'builtin-nano', input })).json()
    return answer.data.map((item: { embedding: number[] }) => item.embedding) as number[][]
  }
  const dot = (a: number[] = [], b: number[] = []) => a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
  const [a, again, near, far] = await embed([
    'What is a deployment?',
    'What is a deployment?',
    'what is a deployment',
    'tomatoes need sun',
  ])
  expect(dot(a, a)).toBeCloseTo(1, 5)
  expect(dot(a, again)).toBeCloseTo(1, 5)
  expect(dot(a, near)).toBeGreaterThan(dot(a, far))
  expect(dot(a, far)).toBeLessThan(0.999)
})

test('twenty-four at once are all answered', async () => {
  const ask = async () =>
    (await post('/openai/v1/chat/completions', { model: 'builtin-nano', messages: riemann })).status
  expect(await Promise.all(Array.from({ length: 24 }, ask))).toEqual(Array.from({ length: 24 }, () => 200))
})

test.skipIf(process.platform !== 'linux')(
  'an engine that is killed in mid-stream costs that stream and comes back',
  async () => {
    const ask = (stream: boolean) =>
      post('/openai/v1/chat/completions', { model: 'builtin-nano', messages: riemann, stream })
    const children = () => readFileSync(`/proc/${ponto.pid}/task/${ponto.pid}/children`, 'utf8').trim().split(' ')
    const before = children()
    expect(before).toHaveLength(1)
    const streams = Array.from({ length: 8 }, async () => (await ask(true)).text())
    process.kill(Number(before[0]), 'SIGKILL')
    for (const text of await Promise.all(streams)) expect(text).toMatch(/\[DONE\]|"error"/)
    expect((await fetch(`${ponto.httpUrl}/health/live`)).status).toBe(200)
    expect((await ask(false)).status).toBe(200)
    expect(children()).not.toEqual(before)
  },
)
