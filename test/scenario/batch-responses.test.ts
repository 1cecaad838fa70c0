import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeUpstream, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'
import { sayEverywhere } from '../support/told-answers.ts'

/** Batches whose lines are responses, on an upstream that knows chats and on one that knows responses. */

const folder = makeTempFolder()
let upstream: FakeUpstream
let ponto: ServerProcess

beforeAll(async () => {
  upstream = await startFakeUpstream()
  sayEverywhere(upstream, { text: ['Hello'] })
  const config = join(folder, 'ponto.yaml')
  writeFileSync(
    config,
    `deployments:
  - name: chat
    model: { name: gpt-4o }
    backends: [{ url: "${upstream.url}/v1" }]
  - name: native
    model: { name: gpt-4o }
    backends: [{ url: "${upstream.url}/v1", chatApis: [responses] }]
`,
  )
  ponto = await startServer({ args: ['--config', config] })
})
afterAll(async () => {
  await ponto?.stop()
  await upstream?.stop()
  removeFolder(folder)
  if (ponto) removeFolder(ponto.dataFolder)
})

type Line = {
  readonly custom_id: string
  readonly response: { readonly status_code: number; readonly body: { readonly [key: string]: unknown } }
}

test.each(['chat', 'native'])(
  'every line is answered as a response: %s',
  async (deployment) => {
    const bodies = [{ input: 'hi' }, { input: [{ role: 'user', content: 'hi' }] }, { input: 'hi', store: true }]
    const lines = bodies.map((body, i) => ({ custom_id: `line-${i}`, method: 'POST', url: '/v1/responses', body }))
    const input = join(folder, `${deployment}.jsonl`)
    const results = join(folder, `${deployment}-results.jsonl`)
    writeFileSync(input, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    const args = [
      'batch',
      'submit',
      input,
      '--deployment',
      deployment,
      '--endpoint',
      '/v1/responses',
      '--wait',
      '--to',
      results,
      '-o',
      'json',
    ]
    const { stdout } = await ponto.run(args)
    expect(JSON.parse(stdout)).toMatchObject({
      status: 'completed',
      endpoint: '/v1/responses',
      request_counts: { total: 3, completed: 2, failed: 1 },
    })
    const failed = await ponto.run(['batch', 'results', JSON.parse(stdout).id, '--errors'])
    const answers = `${readFileSync(results, 'utf8')}${failed.stdout}`
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Line)
    const byId = new Map(answers.map((answer) => [answer.custom_id, answer.response]))
    for (const id of ['line-0', 'line-1']) {
      expect(byId.get(id)).toMatchObject({
        status_code: 200,
        body: {
          object: 'response',
          status: 'completed',
          output: [{ type: 'message', content: [{ text: 'Hello' }] }],
          usage: { total_tokens: 7 },
        },
      })
    }
    expect(byId.get('line-2')).toMatchObject({ status_code: 400, body: { error: { param: 'store' } } })
    const sent = upstream.requests.filter(({ path }) =>
      path.endsWith(deployment === 'chat' ? '/completions' : '/responses'),
    )
    expect(sent).toHaveLength(2)
  },
  60_000,
)
