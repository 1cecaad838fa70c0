import { describe, expect, test } from 'bun:test'
import { skus } from '../../core/deployment.ts'
import type { CatalogModel } from './catalog.ts'
import { createCatalog } from './create-catalog.ts'
import { shippedModels } from './shipped/shipped.ts'

describe('the shipped models', () => {
  test('have one default version each, and no version twice', () => {
    const byName = Map.groupBy(shippedModels, ({ format, name }) => `${format}/${name}`.toLowerCase())
    for (const [name, versions] of byName) {
      expect([name, versions.filter(({ isDefaultVersion }) => isDefaultVersion).length]).toEqual([name, 1])
      expect(new Set(versions.map(({ version }) => version)).size).toBe(versions.length)
    }
  })

  test.each(shippedModels.map((model) => [`${model.name} ${model.version}`, model] as const))(
    '%s has SKUs that hold',
    (_name, model) => {
      expect(model.skus.length).toBeGreaterThan(0)
      expect(new Set(model.skus.map(({ name }) => name)).size).toBe(model.skus.length)
      for (const { name, capacity, perUnit } of model.skus) {
        const families = { rate: 'standard', provisioned: 'provisioned', enqueued: 'batch' } as const
        expect(skus[name].family).toBe(families[perUnit.kind])
        const { minimum, maximum, step } = capacity
        expect(minimum).toBeGreaterThan(0)
        expect(maximum).toBeGreaterThanOrEqual(minimum)
        expect(capacity.default).toBeGreaterThanOrEqual(minimum)
        for (const units of [minimum, maximum, capacity.default]) expect(units % step).toBe(0)
      }
    },
  )
})

describe('a catalog', () => {
  const own: CatalogModel = {
    ...(shippedModels[0] as CatalogModel),
    format: 'Acme',
    name: 'Acme-1',
    version: '7',
    source: 'operator',
  }
  const builtin = { format: 'Ponto', name: 'builtin-nano', version: '1', description: 'small', contextLength: 512 }

  test('finds names without regard to case', () => {
    const catalog = createCatalog([builtin], [own])
    expect(catalog.find('GPT-4O', '2024-11-20')?.name).toBe('gpt-4o')
    expect(catalog.find('acme-1', '7', 'ACME')).toBe(own)
    expect(catalog.find('acme-1', '8')).toBeUndefined()
    expect(catalog.versionsOf('BUILTIN-nano')[0]).toMatchObject({ runsOn: ['builtin'], maxContextTokens: 512 })
  })

  test('lists the default version first', () => {
    expect(
      createCatalog([])
        .versionsOf('gpt-4o')
        .map(({ version }) => version),
    ).toEqual(['2024-11-20', '2024-08-06', '2024-05-13'])
  })

  test("an operator's entry wins, and its default is the only one", () => {
    const newer = { ...own, format: 'OpenAI', name: 'gpt-4o', version: '2027-01-01', isDefaultVersion: true }
    const versions = createCatalog([], [newer]).versionsOf('gpt-4o')
    expect(versions.filter(({ isDefaultVersion }) => isDefaultVersion)).toEqual([newer])
  })

  test('of several that claim to be the default version, the last is', () => {
    const many = Array.from({ length: 1_000 }, (_, i) => ({ ...own, name: `m${i % 500}`, version: String(i) }))
    const catalog = createCatalog([], many)
    expect(catalog.versionsOf('m7').map(({ version, isDefaultVersion }) => [version, isDefaultVersion])).toEqual([
      ['507', true],
      ['7', false],
    ])
  })

  test('is listed by name, without regard to case, and of each the default version first', () => {
    const names = createCatalog([builtin], [own])
      .list()
      .map(({ name }) => name.toLowerCase())
    expect(names).toEqual(names.toSorted())
    expect(names).toContain('builtin-nano')
    const [newest, ...older] = createCatalog([])
      .list()
      .filter(({ name }) => name === 'gpt-4o')
    expect([newest?.isDefaultVersion, older.some(({ isDefaultVersion }) => isDefaultVersion)]).toEqual([true, false])
  })

  test('a replacement that is in the catalog is there in that version', () => {
    for (const { name, lifecycle } of shippedModels) {
      const { replacement } = lifecycle
      if (!replacement) continue
      const versions = createCatalog([]).versionsOf(replacement.name)
      if (versions.length > 0)
        expect([name, versions.some(({ version }) => version === replacement.version)]).toEqual([name, true])
    }
  })
})
