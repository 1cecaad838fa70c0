import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AuditView } from '../../../src/control/api.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'
import { listManagementRoutes, type ManagementRoute } from './every-route.ts'

/**
 * Each route that changes something, or shows a secret, leaves exactly one entry in the audit log, whatever it comes to. Routes come from the
 * server's own tables, so that one that is added is tried as well.
 */

const { own, arm } = listManagementRoutes()
const subscription = '00000000-0000-0000-0000-000000000001'
const planted = 'sk-planted-in-a-body'
/** What neither changes anything nor shows a secret, though it is no GET. */
const asks = /(test|analyze|register|evaluateDeploymentPolicies|calculateModelCapacity|check\w+Availability)$/
const isTold = ({ method, path, action }: ManagementRoute) =>
  method === 'GET' ? action.endsWith('/listKeys/action') : method !== 'HEAD' && !asks.test(path)

/** Bodies that are taken; of what is not named here, one that is not. */
const backends = [{ url: 'https://a.example/v1', credential: { value: planted } }]
const bodies: Readonly<Record<string, unknown>> = {
  '/deployments/{name}': { model: { name: 'gpt-4o' }, backends },
  '/filter-engines/{name}': { kind: 'azure-content-safety', url: 'https://cs.example', credential: { value: planted } },
  '/rai-topics/{name}': { description: 'x', examples: ['y'] },
  '/rai-blocklists/{name}/items': [{ name: 'i', pattern: 'x' }],
  '/rai-blocklists/{name}/items/delete': ['i'],
  '/rai-blocklists/{name}/items/{item}': { pattern: 'x' },
  '/deployment-policies/{name}': { effect: 'audit', allow: { model: ['*'] } },
  '/quota/{name}': { limit: 5 },
  '/role-assignments/{name}': { role: 'Reader', principal: 'somebody' },
  '/import': { text: 'deployments: []' },
}

let folder: string
let server: ServerProcess
let headers: Record<string, string>

beforeAll(async () => {
  folder = makeTempFolder()
  server = await startServer({ dataFolder: join(folder, 'data') })
  const credential = readFileSync(join(server.dataFolder, 'management.key'), 'utf8').trim()
  headers = { authorization: `Bearer ${credential}`, 'content-type': 'application/json' }
  await send('PUT', '/management/resources/team-a', {})
}, 60_000)
afterAll(async () => {
  await server?.stop()
  removeFolder(folder)
})

async function send(method: string, path: string, body?: unknown): Promise<Response> {
  const init = method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }
  return fetch(server.httpUrl + path, { method, headers, ...init })
}

async function listEntries(): Promise<readonly AuditView[]> {
  const entries: AuditView[] = []
  for (let path: string | undefined = '/management/audit?top=1000'; path !== undefined; ) {
    const page = (await (await send('GET', path)).json()) as { value: AuditView[]; nextLink?: string }
    entries.push(...page.value)
    path = page.nextLink
  }
  return entries
}

/** Everything that a change could change, as it is shown. */
async function readAll(prefix: string): Promise<string> {
  const ofServer = ['resources', 'deleted-resources', 'role-assignments', 'service-principals'].map((one) => `/${one}`)
  const ofResource = ['/export', '/named-keys', '/rai-blocklists/it/items'].map((path) => prefix + path)
  const paths = [...ofServer, ...ofResource].map((path) => `/management${path}`)
  return (await Promise.all(paths.map(async (path) => (await send('GET', path)).text()))).join('\n')
}

const guid = '11111111-2222-4333-8444-555555555555'
const values: Readonly<Record<string, string>> = {
  subscription,
  group: 'it',
  account: 'it',
  location: 'westeurope',
  item: 'i',
  namespace: 'x',
}

function pathOf(path: string): string {
  return path.replace(/\{(\w+)\}/g, (_, name) => {
    if (path.startsWith('/role-assignments')) return guid
    if (path.startsWith('/quota')) return 'Standard.gpt-4o'
    if (path.startsWith('/keys')) return 'key1'
    return values[name] ?? 'it'
  })
}

const versionOf = (path: string) => (path.startsWith('/subscriptions') ? 'api-version=2025-12-01' : '')

/** What makes comes before what changes and what removes; and what ends a whole resource is last. */
const order = ['PUT', 'PATCH', 'POST', 'GET', 'DELETE']
const told = (routes: readonly ManagementRoute[]) =>
  routes
    .filter(isTold)
    .sort((a, b) => order.indexOf(a.method) - order.indexOf(b.method) || b.path.length - a.path.length)

const ofResources = own.filter(
  ({ path }) => !/^\/(resources|deleted-resources|role-assignments|service-principals)/.test(path),
)
const tables: readonly (readonly [name: string, routes: readonly ManagementRoute[], prefix: string])[] = [
  ['/management', told(own), ''],
  ['/management/resources/{name}', told(ofResources), '/resources/team-a'],
  ['the vendor shape', told(arm), ''],
]

for (const [name, routes, prefix] of tables) {
  const targetOf = ({ path }: ManagementRoute) =>
    path.startsWith('/subscriptions') ? pathOf(path) : `/management${prefix}${pathOf(path)}`

  describe(name, () => {
    test('what is only tried out changes nothing, or is told of', async () => {
      expect(routes.length).toBeGreaterThan(20)
      for (const route of routes) {
        const before = await readAll(prefix)
        const count = (await listEntries()).length
        const response = await send(
          route.method,
          `${targetOf(route)}?dryRun=true&${versionOf(route.path)}`,
          bodies[route.path],
        )
        expect([route.method, route.path, response.status < 500]).toEqual([route.method, route.path, true])
        const isTold = (await listEntries()).length > count
        if (!isTold)
          expect([route.method, route.path, await readAll(prefix)]).toEqual([route.method, route.path, before])
        // A secret is never shown without.
        if (!isTold) expect(await response.text()).not.toContain('"key1"')
      }
    }, 60_000)

    test('every route leaves one entry, with who, from where, to what and what it came to', async () => {
      for (const route of routes) {
        const count = (await listEntries()).length
        const target = targetOf(route)
        const { status } = await send(route.method, `${target}?${versionOf(route.path)}`, bodies[route.path])
        const entries = await listEntries()
        expect([route.method, route.path, entries.length - count]).toEqual([route.method, route.path, 1])
        const [entry] = entries
        expect(entry).toMatchObject({
          target,
          actor: { kind: 'operator' },
          address: expect.stringMatching(/127\.0\.0\.1|::1/),
          // An answer of the vendor's shape may be 201 or 202 for a change that is over.
          status: expect.any(Number),
        })
        expect(Boolean(entry?.code)).toBe(status >= 400)
      }
    }, 60_000)
  })
}

test('no secret is in it, nor in what the server wrote', async () => {
  const text = JSON.stringify(await listEntries()) + server.errors()
  expect(text).not.toContain(planted)
  expect(text).not.toContain(headers.authorization?.slice('Bearer '.length) as string)
  expect(text).not.toContain(server.key)
})
