import { posix } from 'node:path'
import type { Archive } from './archive.ts'
import { walkXml } from './walk-xml.ts'

/** The parts that a part of an Office document refers to, by the ids that it uses for them. What lies outside of the document is left out. */
export function readRelations(
  archive: Archive,
  part: string,
): Map<string, { readonly type: string; readonly part: string }> {
  const folder = posix.dirname(part)
  const relations = new Map<string, { type: string; part: string }>()
  const content = archive.read(posix.join(folder, '_rels', `${posix.basename(part)}.rels`))
  if (!content) return relations
  walkXml(content, {
    open(name, { Id, Type, Target, TargetMode }) {
      if (name !== 'Relationship' || !Id || !Target || TargetMode === 'External') return
      const target = Target.startsWith('/') ? Target.slice(1) : posix.join(folder, Target)
      relations.set(Id, { type: (Type ?? '').slice((Type ?? '').lastIndexOf('/') + 1), part: target })
    },
  })
  return relations
}

/** The attribute that says which relation an element means: `r:id`, whatever the prefix. */
export function relationOf(attributes: Readonly<Record<string, string>>): string | undefined {
  return Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1]
}
