/** How many units of capacity the deployments of one SKU may have together. */
export type QuotaRow = {
  /** What it is found by; case does not count. Keeps the spelling of its creation. */
  readonly name: string
  /** The model it is for, and its publisher where the name alone is not enough; absent: all models together. */
  readonly format?: string | undefined
  readonly model?: string | undefined
  readonly sku: string
  /** Units. */
  readonly limit: number
  /** Unix milliseconds. */
  readonly createdAt: number
  readonly updatedAt: number
}

export type QuotaTable = {
  /** Ordered by name, without regard to case. */
  list(): Promise<QuotaRow[]>
  /** Creates a pool, or gives one that is there another limit: what it is for and when it was made stay. `now` is unix milliseconds. */
  put(pool: Omit<QuotaRow, 'createdAt' | 'updatedAt'>, now: number): Promise<QuotaRow>
  /** Whether it was there. */
  delete(name: string): Promise<boolean>
}
