import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import OpenAI from 'openai'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, runCommand, type ServerProcess, startServer } from '../support/server-process.ts'

/** A batch from the command line to its end, as the stream of its events and the receivers of webhooks see it. */

const folder = makeTempFolder()
const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`
let upstream: FakeUpstream
let receiver: FakeUpstream
let ponto: ServerProcess

const completion = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 },
}

beforeAll(async () => {
  upstream = await startFakeUpstream()
  receiver = await startFakeUpstream()
  upstream.respond(({ body }) =>
    body.includes('refuse me') ? json({ error: { message: 'no', code: 'bad' } }, 400) : json(completion),
  )
  const config = join(folder, 'ponto.yaml')
  writeFileSync(
    config,
    `deployments:
  - name: gpt
    model: { name: gpt-4o }
    backends: [{ url: "${upstream.url}/v1" }]
webhooks:
  - name: ops
    url: ${receiver.url}/hook?token=t0ken
    secret: { env: PONTO_SECRET_HOOK }
    events: [batch.completed, batch.failed, batch.cancelled]
  - name: others
    url: ${receiver.url}/others
    secret: { env: PONTO_SECRET_HOOK }
    events: [batch.completed]
    owner: somebody-else
`,
  )
  ponto = await startServer({ args: ['--config', config], env: { PONTO_SECRET_HOOK: secret } })
})
afterAll(async () => {
  await ponto?.stop()
  await upstream?.stop()
  await receiver?.stop()
  removeFolder(folder)
  if (ponto) removeFolder(ponto.dataFolder)
})

function writeInput(count: number, bad: number): string {
  const file = join(folder, `in-${count}-${bad}.jsonl`)
  const lines = Array.from({ length: count }, (_, i) => {
    const content = i < bad ? 'refuse me' : 'hello'
    const body = { messages: [{ role: 'user', content }] }
    return `${JSON.stringify({ custom_id: `line-${i}`, method: 'POST', url: '/v1/chat/completions', body })}\n`
  })
  writeFileSync(file, lines.join(''))
  return file
}

type Batch = { id: string; status: string; request_counts: object }

async function readEvents(path: string): Promise<{ status: number; type: string | null; events: Batch[] }> {
  const response = await fetch(ponto.httpUrl + path, { headers: { 'api-key': ponto.key } })
  const blocks = (await response.text()).split('\n\n')
  expect(blocks.pop()).toBe('')
  const events = blocks.map((block) => {
    expect(block).toMatch(/^data: [^\n]+$/)
    return JSON.parse(block.slice('data: '.length)) as Batch
  })
  return { status: response.status, type: response.headers.get('content-type'), events }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await Bun.sleep(20)
}

test('submit, follow, and be told: a receiver that fails first is told again, what it is told is signed', async () => {
  receiver.script(json({}, 500), json({}))
  const results = join(folder, 'results.jsonl')
  const submitted = ponto.run([
    'batch',
    'submit',
    writeInput(40, 0),
    '--deployment',
    'GPT',
    '--wait',
    '--to',
    results,
    '-o',
    'json',
  ])
  const { code, stdout, stderr } = await submitted
  expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
    code: 0,
    stderr: expect.stringMatching(/^Submitted batch_/),
  })
  const batch = JSON.parse(stdout) as Batch
  expect(batch).toMatchObject({ status: 'completed', request_counts: { total: 40, completed: 40, failed: 0 } })
  const answered = readFileSync(results, 'utf8').trim().split('\n')
  expect(answered.map((line) => JSON.parse(line).custom_id)).toEqual(Array.from({ length: 40 }, (_, i) => `line-${i}`))

  const stream = await readEvents(`/openai/batches/${batch.id}/events?api-version=2024-10-21`)
  expect(stream).toMatchObject({ status: 200, type: 'text/event-stream; charset=utf-8', events: [batch] })

  await until(() => receiver.requests.length === 2)
  const [first, second] = receiver.requests as [FakeUpstream['requests'][number], FakeUpstream['requests'][number]]
  const client = new OpenAI({ apiKey: 'unused', webhookSecret: secret })
  for (const { path, body, headers } of [first, second]) {
    expect(path).toBe('/hook?token=t0ken')
    const event = await client.webhooks.unwrap(body, headers as Record<string, string>)
    expect(event).toMatchObject({ type: 'batch.completed', data: { id: batch.id } })
  }
  expect(second.headers['webhook-id']).toBe(first.headers['webhook-id'] as string)
  expect(ponto.errors()).toContain('a webhook was not taken')
  expect(ponto.errors()).not.toContain('t0ken')
  expect(ponto.errors()).not.toContain(secret)
}, 60_000)

test('while a batch runs, its events tell of it; the last one is its end', async () => {
  receiver.script(json({}))
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  upstream.respond(() => [{ do: 'until', promise: held }, ...json(completion)])
  const seen = upstream.requests.length
  const { stdout } = await ponto.run(['batch', 'submit', writeInput(3, 0), '--deployment', 'gpt', '-o', 'json'])
  const { id } = JSON.parse(stdout) as Batch
  const reading = readEvents(`/openai/v1/batches/${id}/events`)
  await until(() => upstream.requests.length >= seen + 1)
  await Bun.sleep(1_100)
  letGo()
  const { events } = await reading
  expect(events.length).toBeGreaterThanOrEqual(2)
  expect(events.slice(0, -1).map(({ status }) => status)).not.toContain('completed')
  expect(events.at(-1)).toMatchObject({ id, status: 'completed', request_counts: { completed: 3 } })
}, 60_000)

test('lines that fail, batches that fail, and what another key finds', async () => {
  receiver.script(json({}))
  upstream.respond(({ body }) =>
    body.includes('refuse me') ? json({ error: { message: 'no' } }, 400) : json(completion),
  )
  const run = await ponto.run(['batch', 'submit', writeInput(5, 2), '--deployment', 'gpt', '--wait', '-o', 'json'])
  const { id, request_counts: counts } = JSON.parse(run.stdout)
  expect([run.code, counts]).toEqual([3, { total: 5, completed: 3, failed: 2 }])
  expect(run.stderr).toContain(`ponto batch results ${id} --errors`)
  const errors = await ponto.run(['batch', 'results', id, '--errors'])
  expect(
    errors.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).custom_id),
  ).toEqual(['line-0', 'line-1'])

  const broken = join(folder, 'broken.jsonl')
  writeFileSync(broken, '{"custom_id":"a","method":"POST","url":"/v1/embeddings","body":{"model":"gpt"}}\n')
  const failed = await ponto.run(['batch', 'submit', broken, '--wait'])
  expect(failed.code).toBe(1)
  expect(failed.stdout).toMatch(/Status +failed/)
  expect(failed.stdout).toMatch(/Error +line 1: /)
  const none = await ponto.run(['batch', 'results', /Id +(\S+)/.exec(failed.stdout)?.[1] ?? ''])
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('is failed and has no line that was answered')])

  const made = await ponto.run(['key', 'create', 'ci', '-o', 'json'])
  const env = { PATH: process.env.PATH ?? '', HOME: folder, PONTO_API_KEY: JSON.parse(made.stdout).secret }
  const asOther = (...args: string[]) => runCommand(['--data', ponto.dataFolder, ...args], env)
  expect((await asOther('batch', 'list', '-o', 'json')).stdout).toBe('[]\n')
  const hidden = await asOther('batch', 'show', id, '--wait')
  expect([hidden.code, hidden.stderr]).toEqual([1, expect.stringContaining(`There is no batch "${id}"`)])
  expect((await ponto.run(['batch', 'list'])).stdout).toContain(id)
}, 60_000)

test('files from the command line', async () => {
  const file = join(folder, 'notes.txt')
  writeFileSync(file, 'a "note"\n'.repeat(50_000))
  const up = await ponto.run(['file', 'upload', file, '--purpose', 'user_data', '--expires-after', '1h', '-o', 'json'])
  const made = JSON.parse(up.stdout)
  expect(made).toMatchObject({ filename: 'notes.txt', purpose: 'user_data', bytes: 450_000 })
  expect(made.expires_at - made.created_at).toBe(3_600)
  expect((await ponto.run(['file', 'list', '--purpose', 'user_data'])).stdout).toContain(made.id)
  expect((await ponto.run(['file', 'show', made.id])).stdout).toMatch(/Size +450 kB \(450000\)/)
  const copy = join(folder, 'copy.txt')
  expect((await ponto.run(['file', 'download', made.id, '--to', copy])).code).toBe(0)
  expect(readFileSync(copy, 'utf8')).toBe(readFileSync(file, 'utf8'))
  expect((await ponto.run(['file', 'download', made.id])).stdout).toBe(readFileSync(file, 'utf8'))
  expect((await ponto.run(['file', 'delete', made.id])).stdout).toBe(`Deleted ${made.id}.\n`)
  const gone = await ponto.run(['file', 'show', made.id])
  expect([gone.code, gone.stderr]).toEqual([1, expect.stringContaining(`There is no file "${made.id}"`)])
  const refused = await ponto.run(['file', 'upload', file])
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('.jsonl')])
}, 60_000)

test('Ctrl-C leaves the batch alone and says how to go on; a server that stops does not wait for it', async () => {
  upstream.respond(() => [{ do: 'stall' }])
  const { stdout } = await ponto.run(['batch', 'submit', writeInput(2, 0), '--deployment', 'gpt', '-o', 'json'])
  const { id } = JSON.parse(stdout) as Batch
  const args = [join(import.meta.dir, '../../src/main.ts'), '--data', ponto.dataFolder, 'batch', 'show', id, '--wait']
  const following = Bun.spawn([process.execPath, ...args], { stdout: 'pipe', stderr: 'pipe' })
  let told = ''
  for await (const text of following.stderr.pipeThrough(new TextDecoderStream())) {
    told += text
    if (told.includes('lines')) following.kill('SIGINT')
  }
  expect([await following.exited, await new Response(following.stdout).text()]).toEqual([130, ''])
  expect(told).toContain(`ponto batch show ${id} --wait`)

  const stream = await fetch(`${ponto.httpUrl}/openai/v1/batches/${id}/events`, { headers: { 'api-key': ponto.key } })
  const reading = stream.text()
  expect(await ponto.stop()).toBe(0)
  expect((await reading).endsWith('\n\n')).toBe(true)
}, 60_000)
