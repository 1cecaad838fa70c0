/** A name under which resources lie, and which may be there before any does. Found without regard to case. */
export type GroupRow = {
  /** A GUID, lower case. */
  readonly subscription: string
  /** As it was first written. */
  readonly name: string
  readonly location: string
  readonly tags: Readonly<Record<string, string>>
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type GroupsTable = {
  /** Ordered by subscription and name, without regard to case. */
  list(): Promise<GroupRow[]>
  get(subscription: string, name: string): Promise<GroupRow | undefined>
  /** Creates it, or gives the one that is there other tags: name, place and time of its making stay. `now` is unix milliseconds. */
  put(group: Omit<GroupRow, 'createdAt' | 'updatedAt'>, now: number): Promise<GroupRow>
  /** Whether it was there. */
  delete(subscription: string, name: string): Promise<boolean>
}
