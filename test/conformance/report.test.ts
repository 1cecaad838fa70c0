import { expect, test } from 'bun:test'
import { runSuite } from './report.ts'

const command = { name: 'a suite', runtime: 'none', folder: '.', environment: {}, limitMs: 60_000 }

test('a program that does not exist is a failed check', async () => {
  const { checks } = await runSuite({ ...command, program: '/no/such/program', args: [] })
  expect(checks).toMatchObject([{ client: 'a suite', outcome: 'failed' }])
  expect(checks[0]?.detail).toContain('/no/such/program cannot be started')
})

test('checks are told one by one, and what is printed besides is kept for a run that ends badly', async () => {
  const check = { client: 'c 1.0', name: 'n', outcome: 'passed' } as const
  const script = `console.log('noise'); console.log('${JSON.stringify(check)}'); process.exit(3)`
  const told: unknown[] = []
  const onCheck = (one: unknown) => void told.push(one)
  const { checks } = await runSuite({ ...command, program: process.execPath, args: ['-e', script], onCheck })
  expect(told).toEqual([check])
  expect(checks).toMatchObject([check, { outcome: 'failed', detail: 'it ended with 3 after 1 checks:\nnoise\n' }])
})
