import { expect, test } from 'bun:test'
import type { ServiceRoute } from '../core/service-route.ts'
import { serverEnds } from '../wire/index.ts'
import { createRoutes } from './routes.ts'

const service = (method: ServiceRoute['method'], path: string): ServiceRoute => ({
  method,
  path,
  action: 'any',
  apiVersion: 'optional',
  answer: async () => ({ status: 200, body: {} }),
})

const runs = service('GET', '/openai/v1/threads/{thread_id}/runs/{run_id}')
const cancel = service('POST', '/openai/v1/threads/{thread_id}/runs/{run_id}/cancel')
const thread = service('GET', '/openai/v1/threads/{id}')
const change = service('POST', '/openai/v1/threads/{thread_id}')
const createRun = service('POST', '/openai/v1/threads/runs')
const listChats = service('GET', '/openai/v1/chat/completions')
const match = createRoutes(serverEnds, [runs, cancel, thread, change, createRun, listChats])

function find(method: string, path: string) {
  const found = match(method, path)
  if (found.found !== 'endpoint' || found.endpoint.kind !== 'service') return found
  return { route: found.endpoint.route, params: found.params }
}

test('a pattern may hold several parameters, each of one segment, decoded once', () => {
  expect(find('GET', '/openai/v1/threads/t1/runs/r1')).toEqual({
    route: runs,
    params: { thread_id: 't1', run_id: 'r1' },
  })
  expect(find('POST', '/openai/v1//threads/t1/runs/r1/cancel/')).toEqual({
    route: cancel,
    params: { thread_id: 't1', run_id: 'r1' },
  })
  expect(find('GET', '/openai/v1/threads/a%2Fb%2525/runs/%E0')).toEqual({
    route: runs,
    params: { thread_id: 'a/b%25', run_id: '%E0' },
  })
  expect(find('GET', '/openai/v1/threads/t1/runs')).toEqual({ found: 'nothing' })
  expect(find('GET', '/openai/v1/threads/t1/steps/r1')).toEqual({ found: 'nothing' })
})

test('each method calls its parameters as its own route does', () => {
  expect(find('GET', '/openai/v1/threads/t1')).toEqual({ route: thread, params: { id: 't1' } })
  expect(find('POST', '/openai/v1/threads/t1')).toEqual({ route: change, params: { thread_id: 't1' } })
  expect(find('DELETE', '/openai/v1/threads/t1')).toEqual({ found: 'other-methods', allow: 'GET, POST, OPTIONS' })
})

test('a path without parameters wins over one with', () => {
  expect(find('POST', '/openai/v1/threads/runs')).toEqual({ route: createRun, params: {} })
})

test('a verb behind a parameter is no part of it, in whatever order the routes come', () => {
  const list = service('PATCH', '/contentsafety/text/blocklists/{name}')
  const add = service('POST', '/contentsafety/text/blocklists/{name}:addOrUpdateBlocklistItems')
  const drop = service('POST', '/contentsafety/text/blocklists/{name}:removeBlocklistItems')
  const item = service('GET', '/contentsafety/text/blocklists/{name}/blocklistItems/{id}')
  for (const routes of [
    [list, add, drop, item],
    [item, drop, add, list],
  ]) {
    const match = createRoutes(serverEnds, routes)
    const found = (method: string, rest: string) => match(method, `/contentsafety/text/blocklists/${rest}`)
    const is = (route: ServiceRoute, params: object) => ({ endpoint: { kind: 'service', route }, params })
    expect(found('PATCH', 'a:b')).toMatchObject(is(list, { name: 'a:b' }))
    expect(found('POST', 'a:addOrUpdateBlocklistItems')).toMatchObject(is(add, { name: 'a' }))
    expect(found('POST', 'a:removeBlocklistItems')).toMatchObject(is(drop, { name: 'a' }))
    expect(found('POST', 'a%3Ab:removeBlocklistItems/')).toMatchObject(is(drop, { name: 'a:b' }))
    expect(found('GET', 'a/blocklistItems/1')).toMatchObject(is(item, { name: 'a', id: '1' }))
    expect(found('GET', 'a:addOrUpdateBlocklistItems')).toEqual({ found: 'other-methods', allow: 'POST, OPTIONS' })
    expect(found('POST', ':addOrUpdateBlocklistItems')).toEqual({ found: 'other-methods', allow: 'PATCH, OPTIONS' })
  }
})

test('a route that stands in for deployments leaves the path to them', () => {
  const standIn = { ...service('POST', '/openai/v1/moderations'), standsInFor: () => true }
  const match = createRoutes(serverEnds, [standIn])
  expect(match('POST', '/openai/v1/moderations')).toMatchObject({ endpoint: { kind: 'inference', standIn } })
  expect(match('POST', '/openai/moderations')).toMatchObject({ endpoint: { kind: 'inference', standIn: undefined } })
})

test('inference and a stateful API share a path', () => {
  expect(find('GET', '/openai/v1/chat/completions')).toEqual({ route: listChats, params: {} })
  expect(match('POST', '/openai/v1/chat/completions')).toMatchObject({ endpoint: { kind: 'inference' }, params: {} })
  expect(match('POST', '/openai/deployments/My%20Model/chat/completions')).toMatchObject({
    endpoint: { kind: 'inference' },
    params: { deployment: 'My Model' },
  })
})
