import { describe, expect, test } from 'bun:test'
import type { CatalogModel, CatalogSku } from '../catalog/catalog.ts'
import { createCatalog, genericSkus } from '../catalog/create-catalog.ts'
import { makeModel } from '../catalog/model.fixture.ts'
import { type DeploymentInput, deploymentSpecSchema } from '../deployment-spec.ts'
import { previewUpgrade } from './preview-upgrade.ts'

const day = 86_400_000
const now = Date.UTC(2026, 10, 24)

const provisioned = (minimum: number): CatalogSku => ({
  name: 'ProvisionedManaged',
  capacity: { minimum, maximum: 1_000, step: minimum, default: minimum },
  perUnit: { kind: 'provisioned', inputTokensPerMinute: 2_500, outputWeight: 4 },
})

function preview(input: Partial<DeploymentInput>, models: CatalogModel[], at = now) {
  const model = { format: 'Acme', name: 'acme', version: '1' }
  const spec = deploymentSpecSchema.parse({ name: 'dd', model, ...input })
  return previewUpgrade(spec, createCatalog([], models), at)
}

const newest = makeModel('2', { isDefaultVersion: true })
const retiresAt = now + 30 * day
const ending = { lifecycle: { status: 'Legacy', retiresAt, replacement: undefined } as const }

describe('when another version is served', () => {
  test('by itself, when its own is retired', () => {
    expect(preview({ sku: { name: 'GlobalStandard', capacity: 1 } }, [newest, makeModel('1', ending)])).toEqual({
      servedVersion: '1',
      defaultVersion: '2',
      next: { version: '2', at: '2026-12-24T00:00:00.000Z', losses: [] },
      note: 'Version 2 is served from 2026-12-24 on.',
    })
  })

  test('not as long as its own has no end', () => {
    const seen = preview({}, [newest, makeModel('1')])
    expect(seen).toMatchObject({ byHand: { version: '2' }, note: expect.stringContaining('no date yet') })
    expect(seen.next).toBeUndefined()
  })

  test('only by hand where the operator wants it so, or pays for capacity', () => {
    const models = [newest, makeModel('1', ending)]
    for (const input of [
      { versionUpgradeOption: 'NoAutoUpgrade' },
      { sku: { name: 'ProvisionedManaged', capacity: 50 } },
    ] as const) {
      const seen = preview(input, models)
      expect(seen).toMatchObject({ servedVersion: '1', byHand: { version: '2' } })
      expect(seen.note).toContain('retired on 2026-12-24, and calls are refused with 410')
      expect(seen.next).toBeUndefined()
      expect(preview(input, models, retiresAt).note).toBe('The version is retired, and calls are refused with 410.')
    }
  })

  test('not again, once it has moved to the default', () => {
    const seen = preview({ versionUpgradeOption: 'OnceNewDefaultVersionAvailable' }, [newest, makeModel('1', ending)])
    expect(seen).toEqual({
      servedVersion: '2',
      defaultVersion: '2',
      note: 'There is no newer version than the one that is served.',
    })
  })

  test('never, of a model that no entry knows', () => {
    expect(preview({ model: { name: 'mine', version: 'x' } }, [])).toMatchObject({
      servedVersion: 'x',
      note: expect.stringContaining('No entry of the catalog knows this model'),
    })
  })
})

describe('what is lost then', () => {
  const losses = (input: Partial<DeploymentInput>, then: Partial<CatalogModel>, before: Partial<CatalogModel> = {}) =>
    preview(input, [makeModel('2', { isDefaultVersion: true, ...then }), makeModel('1', { ...ending, ...before })]).next
      ?.losses

  test('capabilities', () => {
    const before = { capabilities: { chatCompletion: 'true', fineTune: 'true', assistants: 'true', audio: 'false' } }
    const then = { capabilities: { chatCompletion: 'true', fineTune: 'false' } }
    expect(losses({}, then, before)).toEqual(['capability fineTune', 'capability assistants'])
  })

  test('lengths', () => {
    const then = { maxContextTokens: 100, maxOutputTokens: 20 }
    expect(losses({}, then, { maxContextTokens: 200, maxOutputTokens: 10 })).toEqual([
      'context of 200 tokens: it is 100 there',
    ])
  })

  test('the SKU of the deployment, and no other', () => {
    const then = { skus: genericSkus.filter(({ name }) => name !== 'Standard') }
    expect(losses({ sku: { name: 'Standard', capacity: 1 } }, then)).toEqual(['SKU Standard'])
    expect(losses({ sku: { name: 'GlobalStandard', capacity: 1 } }, then)).toEqual([])
  })

  test('capacity that is too little there', () => {
    const seen = preview({ sku: { name: 'ProvisionedManaged', capacity: 25 } }, [
      makeModel('2', { isDefaultVersion: true, skus: [provisioned(50)] }),
      makeModel('1', { skus: [provisioned(25)] }),
    ])
    expect(seen.byHand?.losses).toEqual(['capacity 25: ProvisionedManaged starts at 50 there'])
    expect(seen.note).toContain('SKU ProvisionedManaged never moves by itself')
  })
})
