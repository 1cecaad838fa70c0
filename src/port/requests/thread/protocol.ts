import type { FaultCode } from '../../../core/fault-codes.ts'
import type { PostgresRequestsOptions } from '../adapters/postgres.ts'
import type { RequestStore } from '../port.ts'

/** Where requests are kept. */
export type RequestPlace =
  | { readonly kind: 'sqlite'; readonly file: string }
  | ({ readonly kind: 'postgres' } & PostgresRequestsOptions)

/** What goes to the thread: where to open the store, first, then calls of it. They may be answered in another order. */
export type StoreCall =
  | { readonly number: number; readonly open: RequestPlace }
  | { readonly number: number; readonly method: keyof RequestStore; readonly parameters: readonly unknown[] }

export type StoreReply = { readonly number: number } & (
  | { readonly answer: unknown }
  | { readonly code: FaultCode; readonly message: string }
)
