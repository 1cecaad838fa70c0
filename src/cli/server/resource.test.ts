import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const view = {
  name: 'team-a',
  location: 'eastus',
  kind: 'AIServices',
  sku: { name: 'S0' },
  tags: { team: 'a' },
  subscriptionId: '00000000-0000-0000-0000-000000000000',
  resourceGroup: 'default',
  properties: { networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/8' }] } },
  isDefault: false,
  etag: 'e',
  source: { kind: 'stored' },
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
}
const script = (body: unknown = view, status = 200) => program.script(() => ({ status, body }))
const asked = () => program.seen.map(({ method, path, body }) => [method, path, body])

describe('ponto resource', () => {
  test('lists, shows and asks for deleted ones', async () => {
    script({ value: [view, { ...view, name: 'mine', isDefault: true }] })
    expect((await program.run(['resource', 'list'])).out).toContain("mine (the server's own)")
    script({ value: [] })
    expect((await program.run(['resource', 'list', '--deleted'])).out).toBe('No resource was deleted.\n')
    expect(asked()).toEqual([['GET', '/management/deleted-resources', undefined]])
    script()
    const { out } = await program.run(['resource', 'show', 'a b'])
    expect(asked()).toEqual([['GET', '/management/resources/a%20b', undefined]])
    expect(out).toMatch(/Reached from +10\.0\.0\.0\/8/)
  })

  test('makes one of what the flags say', async () => {
    script(view, 201)
    const flags = [
      ...['--location', 'eastus', '--tag', 'team=a', '--tag', 'x=', '--subdomain', 'sub', '--local-auth', 'off'],
      ...['--public-access', 'on', '--allow-address', '10.0.0.0/8', '--allow-address', '::1'],
      ...['--restrict-outbound', 'on', '--allow-host', 'api.example.com'],
    ]
    expect((await program.run(['resource', 'create', 'team-a', ...flags])).code).toBe(0)
    expect(asked()).toEqual([
      [
        'PUT',
        '/management/resources/team-a',
        {
          location: 'eastus',
          tags: { team: 'a' },
          properties: {
            customSubDomainName: 'sub',
            disableLocalAuth: true,
            publicNetworkAccess: 'Enabled',
            networkAcls: { defaultAction: 'Deny', ipRules: [{ value: '10.0.0.0/8' }, { value: '::1' }] },
            restrictOutboundNetworkAccess: true,
            allowedFqdnList: ['api.example.com'],
          },
        },
      ],
    ])
    expect(program.seen[0]?.headers['if-none-match']).toBe('*')
  })

  test('changes what is named and nothing else', async () => {
    script()
    await program.run(['resource', 'update', 'team-a', '--tag', 'team=', '--default-action', 'Allow', '--dry-run'])
    const body = { tags: { team: null }, properties: { networkAcls: { defaultAction: 'Allow' } } }
    expect(asked()).toEqual([['PATCH', '/management/resources/team-a?dryRun=true', body]])
    const { code, err } = await program.run(['resource', 'update', 'team-a'])
    expect([code, err]).toEqual([2, expect.stringContaining('nothing to change was named')])
  })

  test.each([
    [['--local-auth', 'yes'], 'It is on or off.'],
    [['--tag', 'novalue'], 'It is a name and a value'],
    [['--kind', 'Speech'], 'Allowed choices are'],
  ])('refuses %j', async (flags, text) => {
    script()
    const { code, err } = await program.run(['resource', 'create', 'team-a', ...flags])
    expect([code, err]).toEqual([2, expect.stringContaining(text)])
    expect(asked()).toEqual([])
  })

  test('deletes, restores and purges', async () => {
    program.script(({ method }) => (method === 'DELETE' ? { status: 204 } : { status: 200, body: view }))
    for (const words of [['delete', '-y'], ['restore'], ['purge', '--yes']]) {
      const [verb = '', ...flags] = words
      expect((await program.run(['resource', verb, 'team-a', ...flags])).code).toBe(0)
    }
    expect(asked()).toEqual([
      ['DELETE', '/management/resources/team-a', undefined],
      ['POST', '/management/deleted-resources/team-a/restore', undefined],
      ['DELETE', '/management/deleted-resources/team-a', undefined],
    ])
  })
})

describe('--resource', () => {
  test.each<[readonly string[], Record<string, string>, string]>([
    [['--resource', 'Team A', 'deployment', 'list'], {}, '/management/resources/Team%20A/deployments'],
    [['deployment', 'list', '--resource', 'team-a'], {}, '/management/resources/team-a/deployments'],
    [['deployment', 'list'], { PONTO_RESOURCE: 'from-env' }, '/management/resources/from-env/deployments'],
    [['--resource', 'x', 'deployment', 'list'], { PONTO_RESOURCE: 'y' }, '/management/resources/x/deployments'],
    [['deployment', 'list'], {}, '/management/deployments'],
    [['--resource', 'team-a', 'resource', 'list'], {}, '/management/resources'],
  ])('%j with %j asks %s', async (args, more, path) => {
    script({ value: [] })
    const env = { PONTO_DATA: `${program.home}/data`, HOME: program.home, ...more }
    expect((await program.run(args, { env })).code).toBe(0)
    expect(program.seen.map((request) => request.path)).toEqual([path])
  })

  test('env gives the endpoint of that resource and its key', async () => {
    script({ value: [{ name: 'key1', value: 'k', createdAt: '2026-01-01T00:00:00.000Z' }] })
    const { out } = await program.run(['env', '--resource', 'team-a', '--output', 'json'])
    const { AZURE_OPENAI_ENDPOINT, AZUREAI_ENDPOINT_URL } = JSON.parse(out)
    expect(AZURE_OPENAI_ENDPOINT).toMatch(/^https:\/\/localhost:\d+\/resources\/team-a$/)
    expect(AZUREAI_ENDPOINT_URL).toBe(`${AZURE_OPENAI_ENDPOINT}/models`)
    expect(program.seen[0]?.path).toBe('/management/resources/team-a/keys')
  })
})
