import type { JsonObject } from '../../../core/json.ts'

/** An answer that a caller asked to be kept. */
export type StoredCompletion = {
  /** Whose it is; nobody else finds it. */
  readonly owner: string
  /** As the answer has it: unique for its owner only. */
  readonly id: string
  /** The answer and what the request asked for, without the metadata. */
  readonly completion: JsonObject
  readonly metadata: Readonly<Record<string, string>>
  /** Unix milliseconds. */
  readonly createdAt: number
}

/** With what is told of it once, when it is added. */
export type NewStoredCompletion = StoredCompletion & {
  /** The messages of the request, as they came. */
  readonly messages: readonly JsonObject[]
  /** Names of the model under which it is listed: the answer's own, the deployment's. Case does not count. */
  readonly models: readonly string[]
}

export type StoredCompletionFilter = {
  readonly model?: string | undefined
  /** Pairs that the metadata must hold, all of them. */
  readonly metadata: Readonly<Record<string, string>>
}

export type StoredCompletionPage = {
  /** The id after which the page begins. */
  readonly after?: string | undefined
  readonly limit: number
  /** Of `createdAt`. */
  readonly order: 'asc' | 'desc'
}

export type StoredCompletionsTable = {
  /** In one transaction. What has the owner and id of an earlier one takes its place. */
  add(rows: readonly NewStoredCompletion[]): Promise<void>
  get(owner: string, id: string): Promise<StoredCompletion | undefined>
  getMessages(owner: string, id: string): Promise<JsonObject[] | undefined>
  /**
   * A page, shorter than its limit where its rows are large. Resolves to undefined when the owner never had anything with the id that
   * `after` names; one that was deleted since still has its place, so that whoever deletes while paging can go on.
   */
  list(
    owner: string,
    filter: StoredCompletionFilter,
    page: StoredCompletionPage,
  ): Promise<{ readonly rows: StoredCompletion[]; readonly hasMore: boolean } | undefined>
  count(owner: string, filter: StoredCompletionFilter): Promise<number>
  replaceMetadata(
    owner: string,
    id: string,
    metadata: Readonly<Record<string, string>>,
  ): Promise<StoredCompletion | undefined>
  /** Whether it was there. Nothing of it is left but its place. */
  delete(owner: string, id: string): Promise<boolean>
  /** Removes at most `limit` that are older than `createdAt`, oldest first, and tells how many. */
  deleteOlder(createdAt: number, limit: number): Promise<number>
}
