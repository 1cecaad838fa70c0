import { afterAll, beforeAll, expect, test } from 'bun:test'
import { countOutcomes, renderFailures, renderTable } from './report.ts'
import { runJavaScript } from './run-javascript.ts'
import { type ConformanceServer, startConformanceServer } from './server.ts'

/** The vendors' own clients, unmodified, in a Node of their own, over TLS with the local authority. */

let server: ConformanceServer

beforeAll(async () => {
  server = await startConformanceServer()
}, 60_000)
afterAll(async () => {
  await server?.stop()
})

test("the vendors' JavaScript clients", async () => {
  const report = await runJavaScript(server.environment)
  console.log(renderTable([report]))
  expect(renderFailures([report])).toBe('')
  expect(countOutcomes(report.checks)).toMatchObject({ failed: 0, skipped: 0 })
  expect(report.checks.length).toBeGreaterThan(100)
}, 300_000)
