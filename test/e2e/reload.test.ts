import { afterAll, beforeAll, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FakeUpstream, json, startFakeUpstream } from '../support/fake-upstream.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'

let upstream: FakeUpstream
let ponto: ServerProcess
let folder: string
let config: string

const declare = (names: readonly string[], extra = '') =>
  `deployments:\n${names
    .map(
      (name) =>
        `  - name: ${name}\n    model: { name: gpt-4o }\n    backends: [{ url: "${upstream.url}/v1"${extra} }]\n`,
    )
    .join('')}`

beforeAll(async () => {
  upstream = await startFakeUpstream()
  upstream.script(
    json({ choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }] }),
  )
  folder = makeTempFolder()
  config = join(folder, 'ponto.yaml')
  writeFileSync(config, declare(['Stays']))
  ponto = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config] })
})
afterAll(async () => {
  await ponto.stop()
  await upstream.stop()
  removeFolder(folder)
})

async function call(model: string): Promise<number> {
  const response = await fetch(`${ponto.httpUrl}/openai/v1/chat/completions`, {
    method: 'POST',
    headers: { 'api-key': ponto.key },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }] }),
  })
  await response.text()
  return response.status
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (let i = 0; i < 200; i++) {
    if (await check()) return
    await Bun.sleep(25)
  }
  throw new Error('it did not come about')
}

test('fifty changes of the file under load lose no request', async () => {
  const statuses = new Map<number, number>()
  let isLoaded = true
  const load = Array.from({ length: 8 }, async () => {
    while (isLoaded) {
      const status = await call('STAYS')
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  })
  for (let i = 0; i < 50; i++) {
    // Each change also changes the deployment under load, so that its backend is made anew.
    writeFileSync(
      config,
      declare(
        ['Stays', `extra-${i}`],
        `, priority: ${i % 3}, weight: ${1 + (i % 7)}, timeouts: { idleMs: ${10_000 + i} }`,
      ),
    )
    await until(async () => (await call(`extra-${i}`)) === 200)
  }
  isLoaded = false
  await Promise.all(load)
  expect([...statuses.keys()]).toEqual([200])
  expect(statuses.get(200)).toBeGreaterThan(500)
}, 60_000)

test('an invalid file is refused whole with its place, and the last good one stays', async () => {
  writeFileSync(config, `${declare(['Stays', 'new-one'])}  - name: x\n    model: { name: 5 }\n`)
  await until(async () => ponto.errors().includes('model.name'))
  expect(ponto.errors()).toMatch(/ponto\.yaml:\d+:\d+: .*model\.name: got 5, expected a string/)
  expect(await call('stays')).toBe(200)
  expect(await call('new-one')).toBe(404)
  const status = await ponto.run(['status', '--output', 'json'])
  expect(JSON.parse(status.stdout).configFile.error).toContain('model.name')
  writeFileSync(config, declare(['Stays', 'new-one']))
  await until(async () => (await call('new-one')) === 200)
})

test('what the file declares can only be changed there', async () => {
  const refused = await ponto.run(['deployment', 'delete', 'STAYS'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(/ponto\.yaml.*line 2/)
  expect(await call('stays')).toBe(200)
})

test('a second server on the same folder is refused, naming the first', async () => {
  const second = startServer({ dataFolder: ponto.dataFolder })
  expect(second).rejects.toThrow(String(ponto.pid))
  await second.catch(() => {})
})
