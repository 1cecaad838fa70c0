import type { FilterResults } from '../../core/filter/results.ts'
import { isJsonObject } from '../../core/json.ts'

/** The categories that filtered, for protocols that have only words for it: `violence, custom_blocklists (rivals)`. */
export function nameFiltered(results: FilterResults): string {
  const names: string[] = []
  for (const [category, result] of Object.entries(results)) {
    if (!isJsonObject(result) || result.filtered !== true) continue
    const details = Array.isArray(result.details) ? result.details.filter(isJsonObject) : []
    const ids = details
      .filter((detail) => detail.filtered !== false && typeof detail.id === 'string')
      .map(({ id }) => id)
    names.push(ids.length > 0 ? `${category} (${ids.join(', ')})` : category)
  }
  return names.join(', ')
}
