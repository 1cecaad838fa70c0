import type { Chunking, DocumentKind, IngestionErrorCode, IngestionLimits, TextChunk } from '../port.ts'

/**
 * What the server and a process that reads documents say to each other, over the channel of Node's `fork`; one document at a time. The server
 * sends `read` and then as many bytes as it says through standard input. The child answers with the text or the pieces in portions, and
 * ends with `done` or `failed`.
 */
export type ReadMessage = {
  readonly type: 'read'
  readonly filename: string
  readonly bytes: number
  /** Absent: the text in one piece is asked for. */
  readonly chunking?: Chunking | undefined
  readonly limits: IngestionLimits
}

export type AnswerMessage =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'chunks'; readonly chunks: readonly TextChunk[] }
  | DoneMessage
  | FailedMessage

export type DoneMessage = {
  readonly type: 'done'
  readonly kind: DocumentKind
  readonly breaks: readonly number[]
  readonly characters: number
  /** 0 where no pieces were asked for. */
  readonly tokens: number
  /** What the process takes now, so that one that has grown can be replaced. */
  readonly memoryBytes: number
}

export type FailedMessage = {
  readonly type: 'failed'
  readonly code: IngestionErrorCode
  readonly message: string
  readonly memoryBytes: number
}

/** What the thread that watches memory writes to standard error before it ends the process. */
export const outOfMemoryMark = 'ponto: out of memory'

export type WatchOptions = { readonly memoryBytes: number; readonly parentPid: number }
