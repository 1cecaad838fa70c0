import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeploymentPolicyView } from '../../control/api.ts'
import { type ProgramFixture, startProgram } from '../program.fixture.ts'

let program: ProgramFixture
const ponto = (...args: string[]) => program.run(args)

beforeAll(async () => {
  program = await startProgram()
})
afterAll(() => program.stop())

const finding = {
  deployment: 'chat',
  policy: 'small',
  effect: 'deny',
  field: 'sku.capacity',
  got: '20',
  allowed: 'at most 10',
}
const view = {
  name: 'small',
  effect: 'deny',
  when: { tags: { env: ['test'] } },
  allow: { capacity: { max: 10 }, model: ['gpt-*', 'o3'] },
  violations: [finding],
  etag: 'e',
  source: { kind: 'stored' },
  createdAt: '2026-11-01T10:00:00.000Z',
  updatedAt: '2026-11-01T10:00:00.000Z',
} as unknown as DeploymentPolicyView

describe('policy', () => {
  test('list says what each is about, and what is not as it has it', async () => {
    program.script(() => ({ status: 200, body: { value: [view] } }))
    const { out } = await ponto('policy', 'list')
    expect(out.split('\n')[1]).toBe(
      'small  deny    tags.env=test  allow capacity=..10; model=gpt-*,o3  1           API or CLI',
    )
  })

  test('create sends what the flags say', async () => {
    program.script(() => ({ status: 201, body: view }))
    const flags = ['--when', 'tags.env=test', '--allow', 'capacity=..10', '--allow', 'model=gpt-*,o3']
    const { out } = await ponto('policy', 'create', 'small', '--effect', 'deny', ...flags, '--dry-run')
    expect(program.seen.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'PUT /management/deployment-policies/small?dryRun=true',
    ])
    expect(program.seen[0]?.body).toEqual({
      effect: 'deny',
      when: { tags: { env: ['test'] } },
      allow: { capacity: { max: 10 }, model: ['gpt-*', 'o3'] },
    })
    expect(out).toContain('Violation    chat: sku.capacity is 20, allowed: at most 10\n')
    await ponto(
      'policy',
      'create',
      'd',
      '--effect',
      'default',
      '--set',
      'sku=Standard',
      '--set',
      'sku.capacity=5',
      '--set',
      'tags.n=1',
    )
    expect(program.seen.at(-1)?.body).toEqual({
      effect: 'default',
      set: { sku: { name: 'Standard', capacity: 5 }, tags: { n: '1' } },
    })
  })

  test('flags that say nothing or contradict are refused before anything is sent', async () => {
    program.script(() => ({ status: 500 }))
    const wrong: readonly (readonly [string[], string])[] = [
      [['--effect', 'deny'], '--allow is missing'],
      [['--effect', 'default', '--allow', 'model=a'], '--allow is not for --effect default'],
      [['--allow', 'model=a'], '--effect is missing'],
      [['--effect', 'deny', '--allow', 'modle=a'], '"modle" is no field'],
      [['--effect', 'deny', '--allow', 'capacity=5'], '"5" is no range'],
      [['--effect', 'deny', '--allow', 'capacity'], 'It must be FIELD=TEXT'],
    ]
    for (const [flags, text] of wrong) {
      const { code, err } = await ponto('policy', 'create', 'p', ...flags)
      expect([code, err]).toEqual([2, expect.stringContaining(text)])
    }
    expect(program.seen).toEqual([])
  })

  test('test ends with 1 when something would be refused', async () => {
    const file = join(program.home, 'deployment.yaml')
    writeFileSync(file, 'model: { name: gpt-4o }\n')
    program.script(() => ({ status: 200, body: { isAllowed: false, findings: [finding] } }))
    const refused = await ponto('policy', 'test', '--file', file)
    expect([refused.code, refused.out]).toEqual([1, expect.stringMatching(/small .*sku\.capacity .*\nRefused\.\n$/)])
    expect(program.seen[0]?.body).toEqual({ deployment: { model: { name: 'gpt-4o' } } })
    program.script(() => ({ status: 200, body: { isAllowed: true, findings: [] } }))
    const fine = await ponto('policy', 'test')
    expect([fine.code, fine.out]).toEqual([0, 'Allowed.\n'])
  })
})
