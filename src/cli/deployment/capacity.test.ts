import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeploymentView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
const run = (...args: string[]) => program.run(['deployment', ...args])

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

function view(change: Partial<DeploymentView> = {}): DeploymentView {
  return {
    name: 'gpt',
    model: { format: 'OpenAI', name: 'gpt-4o', version: '2024-08-06' },
    etag: '7',
    source: { kind: 'stored' },
    createdAt: '2026-01-02T03:04:05Z',
    updatedAt: '2026-01-02T03:04:05Z',
    ...change,
  }
}

/** What is sent for a command line that succeeds. */
async function sent(...args: string[]) {
  program.script(() => ({ status: 200, body: view() }))
  const ran = await run(...args)
  expect(ran).toMatchObject({ code: 0 })
  return program.seen.at(-1)
}

describe('flags about capacity', () => {
  test('become the fields of the document', async () => {
    const request = await sent(
      ...['create', 'gpt', '--model', 'gpt-4o', '--sku', 'GlobalStandard', '--capacity', '80'],
      ...['--rate-limit', 'request=10/10s, token=8000/min', '--token-accounting', 'estimate', '--dynamic-throttling'],
      ...['--service-tier', 'Priority', '--version-upgrade-option', 'NoAutoUpgrade', '--rai-policy', 'strict'],
      ...['--price-input', '2.5', '--price-cached-input', '1.25', '--price-output', '10', '--price-request', '0'],
    )
    expect(request).toMatchObject({ method: 'PUT', path: '/management/deployments/gpt' })
    expect(request?.body).toEqual({
      model: { name: 'gpt-4o' },
      sku: { name: 'GlobalStandard', capacity: 80 },
      rateLimits: [
        { key: 'request', renewalPeriod: 10, count: 10 },
        { key: 'token', renewalPeriod: 60, count: 8_000 },
      ],
      tokenAccounting: 'estimate',
      dynamicThrottlingEnabled: true,
      serviceTier: 'Priority',
      versionUpgradeOption: 'NoAutoUpgrade',
      raiPolicyName: 'strict',
      price: { inputPerMillion: 2.5, cachedInputPerMillion: 1.25, outputPerMillion: 10, perRequest: 0 },
    })
  })

  test('of a provisioned deployment', async () => {
    const flags = ['--sku', 'ProvisionedManaged', '--capacity', '50', '--concurrency', '8', '--spillover', 'gpt-std']
    expect((await sent('create', 'gpt', '--model', 'gpt-4o', ...flags))?.body).toEqual({
      model: { name: 'gpt-4o' },
      sku: { name: 'ProvisionedManaged', capacity: 50 },
      concurrency: 8,
      spilloverDeploymentName: 'gpt-std',
    })
  })

  test('that are not given are not sent', async () => {
    expect((await sent('create', 'gpt', '--model', 'gpt-4o'))?.body).toEqual({ model: { name: 'gpt-4o' } })
    expect((await sent('update', 'gpt', '--capacity', '120'))?.body).toEqual({ sku: { capacity: 120 } })
  })

  test('of an update take away what they deny', async () => {
    const flags = ['--no-sku', '--no-rate-limit', '--no-concurrency', '--no-spillover', '--no-price', '--no-rai-policy']
    expect((await sent('update', 'gpt', ...flags, '--no-dynamic-throttling'))?.body).toEqual({
      sku: null,
      rateLimits: null,
      concurrency: null,
      spilloverDeploymentName: null,
      price: null,
      raiPolicyName: null,
      dynamicThrottlingEnabled: false,
    })
  })

  test('one of both keys may come in a flag of its own', async () => {
    const request = await sent('update', 'gpt', '--rate-limit', 'token=5/1s', '--rate-limit', 'request=7/60s')
    expect(request?.body).toEqual({
      rateLimits: [
        { key: 'token', renewalPeriod: 1, count: 5 },
        { key: 'request', renewalPeriod: 60, count: 7 },
      ],
    })
  })

  const wrong: [string, string[], string][] = [
    [
      'a SKU that is none',
      ['create', 'x1', '--model', 'm', '--sku', 'GlobalStandart'],
      'Allowed choices are Standard,',
    ],
    ['capacity of nothing', ['create', 'x1', '--model', 'm', '--capacity', '5'], '--sku is missing'],
    ['half a unit', ['update', 'x1', '--capacity', '1.5'], 'a whole number from 1 to 1000000'],
    ['a period that is too long', ['update', 'x1', '--rate-limit', 'token=5/61s'], 'SECONDS from 1 to 60'],
    ['a limit of nothing', ['update', 'x1', '--rate-limit', 'token=0/1s'], 'SECONDS from 1 to 60'],
    ['a limit of what is not counted', ['update', 'x1', '--rate-limit', 'image=5/1s'], 'SECONDS from 1 to 60'],
    ['two limits of one key', ['update', 'x1', '--rate-limit', 'token=5/1s,token=6/2s'], 'two limits of "token"'],
    ['a negative price', ['update', 'x1', '--price-input', '-1'], 'a number from 0'],
    ['a price that is no number', ['update', 'x1', '--price-output', '1e3'], 'a number from 0'],
    ['to deny a SKU and give its capacity', ['update', 'x1', '--no-sku', '--capacity', '5'], '--no-sku takes away'],
    ['to deny prices and give one', ['update', 'x1', '--no-price', '--price-input', '5'], '--no-price takes away'],
    ['to deny what is not there yet', ['create', 'x1', '--model', 'm', '--no-sku'], "unknown option '--no-sku'"],
    ['a flag beside a file', ['create', '--file', 'spec.yaml', '--capacity', '5'], '--file says everything'],
  ]
  test.each(wrong)('refuse %s as wrong usage', async (_what, args, message) => {
    program.script(() => ({ status: 500 }))
    const ran = await run(...args)
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toContain(message)
    expect(program.seen).toEqual([])
  })
})

describe('--dry-run', () => {
  test('asks the server to judge only, and says that nothing was changed', async () => {
    const file = join(program.home, 'spec.yaml')
    writeFileSync(file, 'name: gpt\nmodel: { name: gpt-4o }\n')
    const lines = [
      ['create', 'gpt', '--model', 'gpt-4o'],
      ['create', '--file', file],
      ['update', 'gpt', '--model-version', '2'],
      ['update', 'gpt', '--file', file],
    ]
    for (const line of lines) {
      expect((await sent(...line))?.path).toBe('/management/deployments/gpt')
      expect((await sent(...line, '--dry-run'))?.path).toBe('/management/deployments/gpt?dryRun=true')
      expect((await run(...line, '--dry-run')).err).toContain('nothing was changed')
    }
  })

  test('of a deletion', async () => {
    program.script(() => ({ status: 204 }))
    const ran = await run('delete', 'gpt', '--dry-run')
    expect(ran).toMatchObject({ code: 0, out: 'gpt would be deleted: nothing was changed.\n' })
    expect(program.seen[0]).toMatchObject({ method: 'DELETE', path: '/management/deployments/gpt?dryRun=true' })
  })
})

describe('what is shown', () => {
  const full = view({
    sku: { name: 'GlobalStandard', capacity: 80 },
    servedVersion: '2024-11-20',
    effectiveLimits: {
      kind: 'rate',
      rateLimits: [
        { key: 'request', renewalPeriod: 10, count: 80 },
        { key: 'token', renewalPeriod: 60, count: 80_000 },
      ],
      tokenAccounting: 'settle',
      borrowableTokensPerMinute: 5_000,
    },
    lifecycle: {
      status: 'Legacy',
      retiresAt: '2027-03-31T00:00:00.000Z',
      replacement: { name: 'gpt-5', version: '2025-08-07' },
    },
    deploymentState: 'Paused',
    price: { inputPerMillion: 2.5, cachedInputPerMillion: 1.25, outputPerMillion: 10, perRequest: 0 },
    raiPolicyName: 'strict',
    effectiveRaiPolicyName: 'strict',
  })

  test('of one deployment', async () => {
    program.script(() => ({ status: 200, body: full }))
    const { out } = await run('show', 'gpt')
    const facts = Object.fromEntries(out.split('\n').map((line) => line.split(/ {2,}/) as [string, string]))
    expect(facts).toMatchObject({
      Model: 'gpt-4o, version 2024-11-20, moved from 2024-08-06, format OpenAI',
      State: 'Paused',
      Retires: '2027-03-31 (then gpt-5 2025-08-07)',
      SKU: 'GlobalStandard 80',
      Limits: '80 requests/10 s, 80,000 tokens/min, up to 5,000 tokens/min more from the pool',
      'Content filter': 'strict',
      Price: '2.5 (cached 1.25) in, 10 out per million tokens',
    })
  })

  test('of one without limits', async () => {
    program.script(() => ({ status: 200, body: view({ effectiveRaiPolicyName: 'Microsoft.DefaultV2' }) }))
    const { out } = await run('show', 'gpt')
    expect(out).toMatch(/^Limits +none$/m)
    expect(out).toMatch(/^Content filter +Microsoft\.DefaultV2 \(default\)$/m)
    expect(out).not.toMatch(/^(SKU|Retires|Price)/m)
  })

  test('of provisioned capacity, of batch work, and of what is retired', async () => {
    const rows = [
      view({
        sku: { name: 'ProvisionedManaged', capacity: 50 },
        effectiveLimits: { kind: 'provisioned', inputTokensPerMinute: 125_000, outputWeight: 4, concurrency: 1 },
      }),
      view({ sku: { name: 'GlobalBatch', capacity: 5 }, effectiveLimits: { kind: 'enqueued', tokens: 5_000 } }),
      view({ lifecycle: { status: 'Deprecated', retiresAt: '2026-01-01T00:00:00.000Z' } }),
    ]
    program.script(() => ({ status: 200, body: { value: rows } }))
    const lines = (await run('list')).out.split('\n')
    expect(lines[0]).toMatch(/^NAME +MODEL +STATE +SKU +LIMITS +RETIRES +RUNS ON +DECLARED IN +CHANGED$/)
    expect(lines[1]).toContain('Running  ProvisionedManaged 50  125,000 input tokens/min, output x 4, 1 call at once')
    expect(lines[2]).toContain('GlobalBatch 5          5,000 tokens waiting')
    program.script(() => ({ status: 200, body: { value: [full, view()] } }))
    expect((await run('list')).out).toMatch(/^NAME .* CONTENT FILTER .*\n.* strict /)
    expect(lines[3]).toMatch(/Retired +2026-01-01 +built-in engine/)
  })
})

describe('pause, resume and upgrade-preview', () => {
  test.each([
    ['pause', 'Paused gpt.\n'],
    ['resume', 'Resumed gpt.\n'],
  ])('%s', async (action, text) => {
    program.script(() => ({ status: 200, body: view() }))
    expect(await run(action, 'GPT')).toEqual({ code: 0, out: text, err: '' })
    expect(program.seen[0]).toMatchObject({ method: 'POST', path: `/management/deployments/GPT/${action}` })
    const asJson = await run(action, 'GPT', '-o', 'json')
    expect(JSON.parse(asJson.out)).toEqual(view())
  })

  test('what the server refuses is an error', async () => {
    const details = [
      { code: 'InvalidValue', message: 'only the standard family can be paused', target: 'deploymentState' },
    ]
    program.script(() => ({ status: 400, body: { error: { code: 'InvalidValue', message: 'no', details } } }))
    expect(await run('pause', 'gpt')).toEqual({
      code: 1,
      out: '',
      err: 'error: deploymentState: only the standard family can be paused\n',
    })
  })

  test('the preview says what is next and what is lost with it', async () => {
    const next = { version: '2', at: '2027-03-31T12:00:00.000Z', losses: ['SKU Standard', 'capability fineTune'] }
    const preview = { servedVersion: '1', defaultVersion: '2', next, note: 'Version 2 is served from 2027-03-31 on.' }
    program.script(() => ({ status: 200, body: preview }))
    const { out, code } = await run('upgrade-preview', 'gpt')
    expect(code).toBe(0)
    expect(out).toMatch(/^Served +1$/m)
    expect(out).toMatch(/^Next +2, 2027-0/m)
    expect(out).toMatch(/^Then lost +SKU Standard$/m)
    expect(out).toContain('Version 2 is served from 2027-03-31 on.')
    expect(program.seen[0]?.path).toBe('/management/deployments/gpt/upgrade')
  })
})
