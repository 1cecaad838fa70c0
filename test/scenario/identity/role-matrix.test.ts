import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServicePrincipalView } from '../../../src/control/api.ts'
import { type RoleDefinition, type RoleName, roleNames, roleTable } from '../../../src/core/access/role-table.ts'
import { richBodies, simpleBody, writeForm } from '../../fuzz/valid-bodies.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../../support/server-process.ts'
import { type DataRoute, listDataRoutes, listManagementRoutes, type ManagementRoute } from './every-route.ts'

/**
 * Each role on each route of a running server: allowed is what the table of roles says, which is read here in another way than the server
 * reads it. Routes come from the server's own tables, so that one that is added is tried as well.
 */

const dataRoutes = listDataRoutes()
const { own, arm } = listManagementRoutes()
const subscription = '00000000-0000-0000-0000-000000000001'

let folder: string
let server: ServerProcess
const principals = new Map<RoleName | 'none' | 'scoped', ServicePrincipalView>()

beforeAll(async () => {
  folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  // Nobody answers there: that a call gets so far is what is to be seen.
  const backends = [{ url: 'http://127.0.0.1:9/v1' }]
  const deployments = [
    { name: 'ours', model: { format: 'OpenAI', name: 'gpt-4o', version: '1' }, backends },
    { name: 'theirs', model: { format: 'Mistral AI', name: 'Mistral-large', version: '1' }, backends },
  ]
  writeFileSync(config, JSON.stringify({ deployments }))
  server = await startServer({ dataFolder: join(folder, 'data'), args: ['--config', config] })
  const create = async (name: string, ...flags: string[]) => {
    const ran = await server.run(['identity', 'create', name, ...flags, '--output', 'json'])
    expect(ran).toMatchObject({ code: 0 })
    return JSON.parse(ran.stdout) as ServicePrincipalView
  }
  for (const [index, role] of roleNames.entries()) principals.set(role, await create(`p${index}`, '--role', role))
  principals.set('none', await create('nobody'))
  principals.set('scoped', await create('scoped', '--role', 'Cognitive Services User', '--deployment', 'ours'))
}, 60_000)
afterAll(async () => {
  await server?.stop()
  removeFolder(folder)
})

const tokens = new Map<string, Promise<string>>()

/** As a program gets one: with its secret. */
function tokenOf(who: RoleName | 'none' | 'scoped', audience: string): Promise<string> {
  const key = `${who} ${audience}`
  const known = tokens.get(key) ?? fetchToken(principals.get(who) as ServicePrincipalView, audience)
  tokens.set(key, known)
  return known
}

async function fetchToken({ tenantId, appId, secret }: ServicePrincipalView, audience: string): Promise<string> {
  const body = new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: appId,
    client_secret: secret as string,
    scope: `${audience}/.default`,
  })
  const answer = await fetch(`${server.httpUrl}/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body })
  expect(answer.status).toBe(200)
  return ((await answer.json()) as { access_token: string }).access_token
}

type Said = { readonly status: number; readonly code: string | undefined; readonly text: string }

async function ask(method: string, path: string, headers: Record<string, string>, body?: BodyInit): Promise<Said> {
  const giveUp = new AbortController()
  const answer = await fetch(server.httpUrl + path, {
    method,
    headers,
    signal: giveUp.signal,
    ...(body !== undefined && { body }),
  })
  // Some answers go on for as long as somebody listens.
  const isEndless = answer.headers.get('content-type')?.startsWith('text/event-stream') === true
  const text = isEndless ? '' : await answer.text()
  giveUp.abort()
  return { status: answer.status, code: codeOf(text), text }
}

function codeOf(text: string): string | undefined {
  try {
    const body = JSON.parse(text) as { error?: { code?: string; type?: string } }
    return body.error?.code ?? body.error?.type
  } catch {
    return undefined
  }
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** What the table says, read as people read it: `*` is anything. */
function says(
  role: RoleName,
  lists: readonly [may: keyof RoleDefinition, not: keyof RoleDefinition],
  action: string,
): boolean {
  const definition: RoleDefinition = roleTable[role]
  const has = (list: keyof RoleDefinition) =>
    (definition[list] as readonly string[]).some((pattern) => {
      const [head = '', ...rest] = pattern.toLowerCase().split('*')
      let at = head.length
      if (!action.toLowerCase().startsWith(head)) return false
      for (const [index, part] of rest.entries()) {
        const isLast = index === rest.length - 1
        const found = isLast ? action.length - part.length : action.toLowerCase().indexOf(part, at)
        if (found < at || !action.toLowerCase().startsWith(part, found)) return false
        at = found + part.length
      }
      return at === action.length
    })
  return has(lists[0]) && !has(lists[1])
}

const mayData = (role: RoleName, action: string) => says(role, ['dataActions', 'notDataActions'], action)
const mayManage = (role: RoleName, action: string) =>
  says(
    role,
    ['actions', 'notActions'],
    action.startsWith('Microsoft.') ? action : `Microsoft.CognitiveServices/${action}`,
  )

/** A request to a data route that nothing but a missing role would refuse with 401. */
function askData(
  { method, path, endpoint, kind }: DataRoute,
  deployment: string,
  headers: Record<string, string>,
): Promise<Said> {
  const target = path
    .replace('{deployment}', deployment)
    .replace('{model}', deployment)
    .replace(/\{[^}]*\}/g, 'matrix-x')
  const query = endpoint.kind === 'list' && endpoint.list === 'info' ? `&model=${deployment}` : ''
  const address = `${target}?api-version=2024-10-21${query}`
  if (method === 'GET' || method === 'DELETE') return ask(method, address, headers)
  if (endpoint.kind === 'inference' && kind !== undefined) {
    const { end } = endpoint
    if (end.form) {
      const { contentType, bytes } = writeForm({ model: deployment, prompt: 'x' }, Buffer.from('x'))
      return ask(method, address, { ...headers, 'content-type': contentType }, bytes as BodyInit)
    }
    const body = {
      ...simpleBody(end.wire, kind, deployment, 'hi', false),
      ...(kind === 'moderate' && richBodies(end.wire, kind)[0]),
      model: deployment,
    }
    return ask(method, address, { ...headers, 'content-type': 'application/json' }, JSON.stringify(body))
  }
  return ask(method, address, { ...headers, 'content-type': 'application/json' }, '{}')
}

function askManagement(
  { method, path }: ManagementRoute,
  prefix: string,
  headers: Record<string, string>,
): Promise<Said> {
  const target = path
    .replace('{subscription}', subscription)
    .replace('{namespace}', 'Microsoft.Matrix')
    .replace(/\{[^}]*\}/g, 'matrix-x')
  const query = prefix === '' ? '?api-version=2025-09-01' : ''
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'DELETE'
  const type = { 'content-type': 'application/json' }
  return hasBody
    ? ask(method, prefix + target + query, { ...headers, ...type }, '{}')
    : ask(method, prefix + target + query, headers)
}

test('every route has an action, and an action is named as such', () => {
  const actions = [
    ...dataRoutes.flatMap((route) => route.actions),
    ...own.map(({ action }) => action),
    ...arm.map(({ action }) => action),
  ]
  expect(
    actions.filter((action) => !/^(Microsoft\.\w+\/)?[\w:.-]+(\/[\w:.-]+)*\/(read|write|delete|action)$/.test(action)),
  ).toEqual([])
  expect(Math.min(dataRoutes.length, own.length, arm.length)).toBeGreaterThan(40)
})

test('the data plane of the server is made of these services and no others', async () => {
  const text = await Bun.file(join(import.meta.dir, '../../../src/boot/serve.ts')).text()
  const [, services] = /createRoutes\(serverEnds, \[([^\]]*)\]\)/.exec(text) ?? []
  expect(
    services
      ?.split(',')
      .map((one) => one.trim())
      .filter(Boolean),
  ).toEqual(['...storedCompletions.routes', '...filterServices', '...work.routes'])
})

describe.each(roleNames)('%s', (role) => {
  test.each(['ours', 'theirs'] as const)('on the data plane, with %s', async (deployment) => {
    const headers = bearer(await tokenOf(role, 'https://cognitiveservices.azure.com'))
    for (const route of dataRoutes) {
      const action = route.actions[deployment === 'ours' ? 0 : 1]
      const said = await askData(route, deployment, headers)
      const what = `${route.method} ${route.path} (${action}): ${said.status} ${said.text.slice(0, 300)}`
      if (mayData(role, action)) expect([401, 403, 500].includes(said.status), what).toBe(false)
      else {
        expect(said.status, what).toBe(401)
        expect(['PermissionDenied', 'authentication_error'], what).toContain(said.code as string)
        expect(said.text, what).toContain('lacks the required data action')
      }
    }
  })

  test('in management', async () => {
    const headers = bearer(await tokenOf(role, 'https://management.azure.com'))
    for (const [routes, prefix] of [
      [own, '/management'],
      [arm, ''],
    ] as const) {
      // What takes something away comes last, so that what others look for is still there.
      for (const route of routes) {
        const said = await askManagement(route, prefix, headers)
        const what = `${route.method} ${route.path} (${route.action}): ${said.status} ${said.text.slice(0, 300)}`
        if (mayManage(role, route.action)) expect([401, 403, 500].includes(said.status), what).toBe(false)
        else {
          expect(said.status, what).toBe(403)
          if (route.method !== 'HEAD') expect(said.code, what).toBe('AuthorizationFailed')
        }
      }
    }
  })
})

describe('whoever has no role', () => {
  test('may do nothing', async () => {
    const data = bearer(await tokenOf('none', 'https://cognitiveservices.azure.com'))
    for (const route of dataRoutes)
      expect([route.path, (await askData(route, 'ours', data)).status]).toEqual([route.path, 401])
    const management = bearer(await tokenOf('none', 'https://management.azure.com'))
    for (const route of own)
      expect([route.path, (await askManagement(route, '/management', management)).status]).toEqual([route.path, 403])
  })

  test.each<[string, () => Record<string, string>]>([
    ['and no credential', () => ({})],
    ['but an empty one', () => ({ authorization: 'Bearer ' })],
    ['but a made-up key', () => ({ 'api-key': 'x'.repeat(84) })],
    ['but a token that is none', () => ({ authorization: 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.x' })],
    ['but a token of the wrong kind', () => ({ authorization: 'Basic eDp5' })],
  ])('%s gets 401 everywhere', async (_what, headers) => {
    for (const route of dataRoutes) {
      expect([route.method, route.path, (await askData(route, 'ours', headers())).status]).toEqual([
        route.method,
        route.path,
        401,
      ])
    }
    for (const [routes, prefix] of [
      [own, '/management'],
      [arm, ''],
    ] as const) {
      for (const route of routes) {
        expect([route.method, route.path, (await askManagement(route, prefix, headers())).status]).toEqual([
          route.method,
          route.path,
          401,
        ])
      }
    }
    expect((await ask('GET', '/metrics', headers())).status).toBe(401)
  })

  test('is told only what has to be known before', async () => {
    const { tenantId } = principals.get('none') as ServicePrincipalView
    const open = [
      '/health/live',
      `/${tenantId}/v2.0/.well-known/openid-configuration`,
      `/${tenantId}/discovery/v2.0/keys`,
      '/common/discovery/instance',
      '/metadata/endpoints',
    ]
    for (const path of open) expect([path, (await ask('GET', path, {})).status]).toEqual([path, 200])
  })
})

test('a resource key opens nothing in management', async () => {
  for (const headers of [{ 'api-key': server.key }, bearer(server.key)]) {
    for (const [routes, prefix] of [
      [own, '/management'],
      [arm, ''],
    ] as const) {
      for (const route of routes) {
        expect([route.method, route.path, (await askManagement(route, prefix, headers)).status]).toEqual([
          route.method,
          route.path,
          403,
        ])
      }
    }
  }
})

test('a token of management opens nothing of the data plane, whatever the role', async () => {
  const headers = bearer(await tokenOf('Cognitive Services User', 'https://management.azure.com'))
  for (const route of dataRoutes)
    expect([route.path, (await askData(route, 'ours', headers)).status]).toEqual([route.path, 401])
})

describe('a role on one deployment', () => {
  test('is for that one: others are not there, and nothing is that is of the resource as a whole', async () => {
    const headers = bearer(await tokenOf('scoped', 'https://cognitiveservices.azure.com'))
    const list = await ask('GET', '/openai/v1/models', headers)
    expect((JSON.parse(list.text) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual(['ours'])
    const chat = dataRoutes.find(({ path }) => path === '/openai/v1/chat/completions') as DataRoute
    expect([401, 403, 404]).not.toContain((await askData(chat, 'ours', headers)).status)
    const other = await askData(chat, 'theirs', headers)
    expect(other.status).toBe(404)
    expect(other.text).not.toContain('Mistral')
    expect((await ask('GET', '/openai/v1/files', headers)).status).toBe(401)
    expect((await ask('GET', '/openai/v1/models/theirs', headers)).status).toBe(404)
  })

  test('reads that one in management, and no list', async () => {
    const headers = bearer(await tokenOf('scoped', 'https://management.azure.com'))
    const statuses = []
    for (const path of [
      '/deployments/ours',
      '/deployments/OURS',
      '/deployments/theirs',
      '/deployments',
      '/status',
      '/keys',
    ]) {
      statuses.push((await ask('GET', `/management${path}`, headers)).status)
    }
    expect(statuses).toEqual([200, 200, 403, 403, 403, 403])
  })
})
