import { describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import { findSpecProblems } from './find-spec-problems.ts'
import { type EngineSpec, engineKinds, guardProfiles, judgedCategories, optionRows, type ProfileName } from './kinds.ts'

const page = readFileSync(join(import.meta.dir, '../../../docs/reference/filter-engines.md'), 'utf8')

describe('the page about engines', () => {
  const samples = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, yaml = '']) => parse(yaml).filterEngines)

  test('shows every kind, and all that it shows can work', () => {
    expect(new Set(samples.map(({ kind }) => kind))).toEqual(new Set(Object.keys(engineKinds)))
    for (const { credential, ...spec } of samples)
      expect([spec.name, findSpecProblems(spec, credential !== undefined)]).toEqual([spec.name, []])
  })

  test('names every profile and option', () => {
    const specs: Pick<EngineSpec, 'kind' | 'profile'>[] = [
      ...(Object.keys(engineKinds) as EngineSpec['kind'][]).map((kind) => ({ kind })),
      ...(Object.keys(guardProfiles) as ProfileName[]).map((profile) => ({ kind: 'guard' as const, profile })),
    ]
    const names = [
      ...Object.keys(engineKinds),
      ...Object.keys(guardProfiles),
      ...specs.flatMap((spec) => Object.keys(optionRows(spec))),
    ]
    expect([...new Set(names)].filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([])
  })
})

test('a guard judges what its profile can, and what its labels are given', () => {
  expect(judgedCategories({ kind: 'guard', profile: 'shieldgemma' })).toEqual(
    new Set(['hate', 'sexual', 'violence', 'self_harm']),
  )
  const options = { labels: { S2: 'custom_topics', S10: 'none' } }
  expect(judgedCategories({ kind: 'guard', profile: 'llama-guard-3', options }).has('custom_topics')).toBe(true)
})
