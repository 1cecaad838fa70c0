/** A term, or a pattern that runs in linear time. */
export type ListItem = {
  readonly id: string
  readonly text: string
  readonly isRegex: boolean
  readonly description?: string | undefined
}

export type NewListItem = Omit<ListItem, 'id'> & {
  readonly id?: string | undefined
  /** Where it stands in the request, for refusals: `blocklistItems[3].text`. */
  readonly place?: string | undefined
}

export type Blocklist = {
  readonly name: string
  readonly description?: string | undefined
  readonly items: readonly ListItem[]
}

/** What a list shall be. Items without an id get one. */
export type BlocklistContent = {
  readonly description?: string | undefined
  readonly items: readonly NewListItem[]
}

/** The blocklists that the server's content filters use too, as this API sees them. Names are found without regard to case. */
export type Blocklists = {
  list(): readonly Blocklist[]
  get(name: string): Blocklist | undefined
  /**
   * Creates or replaces a list by what `edit` makes of the one there is; what it throws refuses the write, and nothing changes in
   * between. Rejects with Fault `invalid-request` for items that cannot be used, and `conflict` where the list cannot be written.
   */
  write(
    name: string,
    edit: (current: Blocklist | undefined) => BlocklistContent,
  ): Promise<{ readonly list: Blocklist; readonly isNew: boolean }>
  /** Resolves to whether there was one. Rejects with Fault `conflict` while a policy uses it. */
  remove(name: string): Promise<boolean>
  /** Which items of that list, which `get` or `list` gave, occur in a text, each once. */
  match(list: Blocklist, text: string): readonly ListItem[]
}
