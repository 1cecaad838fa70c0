import type { Blocklist, Blocklists } from './blocklists.ts'

/** Blocklists in memory; terms are found as they are written. */
export function memoryBlocklists(): Blocklists {
  const lists = new Map<string, Blocklist>()
  let nextId = 1
  return {
    list: () => [...lists.values()].sort((a, b) => (a.name < b.name ? -1 : 1)),
    get: (name) => lists.get(name.toLowerCase()),
    async write(name, edit) {
      const current = lists.get(name.toLowerCase())
      const content = edit(current)
      const items = content.items.map(({ place, ...item }) => ({ ...item, id: item.id ?? `item-${nextId++}` }))
      const list = { name: current?.name ?? name, description: content.description, items }
      lists.set(name.toLowerCase(), list)
      return { list, isNew: current === undefined }
    },
    remove: async (name) => lists.delete(name.toLowerCase()),
    match: ({ items }, text) => items.filter((item) => text.includes(item.text)),
  }
}
