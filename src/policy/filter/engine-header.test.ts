import { expect, test } from 'bun:test'
import { writeEngines } from './engine-header.ts'

test('the builtin says what it compares by spelling only, once and in order', () => {
  const builtin = {
    label: 'builtin/1',
    categories: ['violence', 'protected_material_text', 'indirect_attack', 'protected_material_text'] as const,
  }
  expect(writeEngines(builtin, [])).toBe('builtin/1;lexical="indirect_attack protected_material_text"')
  expect(writeEngines({ label: 'builtin/1', categories: ['hate', 'jailbreak'] }, [])).toBe('builtin/1')
})

test('the other engines follow, each once; without the builtin they are alone', () => {
  expect(writeEngines({ label: 'builtin/1', categories: ['hate'] }, ['guard/a', 'guard/a', 'judge/b'])).toBe(
    'builtin/1, guard/a, judge/b',
  )
  expect(writeEngines(undefined, ['guard/a'])).toBe('guard/a')
  expect(writeEngines(undefined, [])).toBe('')
})
