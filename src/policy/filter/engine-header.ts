import type { FilterCategory } from '../../core/filter/categories.ts'

/** What the builtin compares by spelling only, whatever else it does: said wherever it judges these. */
const lexical: ReadonlySet<FilterCategory> = new Set<FilterCategory>([
  'indirect_attack',
  'protected_material_text',
  'protected_material_code',
  'ungrounded_material',
])

/** What judged, as answers tell it: `builtin/1;lexical="indirect_attack", guard/qwen3guard`. `builtin`: the categories it was asked for, if it was. */
export function writeEngines(
  builtin: { readonly label: string; readonly categories: Iterable<FilterCategory> } | undefined,
  others: Iterable<string>,
): string {
  const engines = new Set(others)
  if (!builtin) return [...engines].join(', ')
  const spelled = [...new Set(builtin.categories)].filter((category) => lexical.has(category)).sort()
  const note = spelled.length > 0 ? `;lexical="${spelled.join(' ')}"` : ''
  return [builtin.label + note, ...engines].join(', ')
}
