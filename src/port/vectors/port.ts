import type { JsonObject } from '../../core/json.ts'

/** A piece of a file as search knows it. */
export type Chunk = {
  /** From 0 within its file. */
  readonly index: number
  readonly text: string
  /** Absent where the store has no embeddings. Of the dimensions of its store. */
  readonly vector?: Float32Array | undefined
}

export type VectorFile = {
  readonly fileId: string
  readonly filename: string
  /** Up to 16 pairs: texts, numbers, booleans. What filters ask for. */
  readonly attributes: JsonObject
  readonly chunks: readonly Chunk[]
}

/** As the API has them: a comparison of an attribute, or several joined by and/or. */
export type AttributeFilter =
  | {
      readonly type: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'nin'
      readonly key: string
      readonly value: string | number | boolean | readonly (string | number | boolean)[]
    }
  | { readonly type: 'and' | 'or'; readonly filters: readonly AttributeFilter[] }

export type VectorQuery = {
  readonly storeIds: readonly string[]
  /** For the words. */
  readonly text: string
  /** For the meaning; absent: by words only. */
  readonly vector?: Float32Array | undefined
  readonly filter?: AttributeFilter | undefined
  readonly limit: number
  /** Of each half in the fused order; `{words: 1, meaning: 1}` when absent. */
  readonly weights?: { readonly words: number; readonly meaning: number } | undefined
}

export type Hit = {
  readonly storeId: string
  readonly fileId: string
  readonly filename: string
  readonly attributes: JsonObject
  readonly index: number
  readonly text: string
  /** From 0 to 1, the best first. How it comes about is told in the adapter. */
  readonly score: number
}

/**
 * Pieces of texts that can be found by their words (BM25) and by their meaning (cosine, exact), joined by reciprocal rank fusion. Rejects with Fault
 * `storage-unavailable` while the store is away.
 */
export type Vectors = {
  /** The file in a store, in place of what was there of it: whole or not at all. */
  putFile(storeId: string, file: VectorFile): Promise<void>
  setAttributes(storeId: string, fileId: string, attributes: JsonObject): Promise<void>
  /** Not found any more when this resolves. */
  deleteFile(storeId: string, fileId: string): Promise<void>
  deleteStore(storeId: string): Promise<void>
  search(query: VectorQuery): Promise<Hit[]>
  /** The pieces of a file in their order, for its content. */
  listChunks(storeId: string, fileId: string, after: number, limit: number): Promise<readonly Chunk[]>
  /** Bytes that the file takes in the store. */
  sizeOf(storeId: string, fileId: string): Promise<number>
  close(): Promise<void>
}
