/** A document as it is stored. Nothing of it is believed: neither its name nor its size. */
export type SourceFile = {
  readonly filename: string
  /** As many as `open` gives. */
  readonly bytes: number
  /** Its content from the start, in pieces of any size. */
  open(): AsyncIterable<Uint8Array>
}

export type DocumentKind = 'txt' | 'md' | 'html' | 'json' | 'csv' | 'code' | 'pdf' | 'docx' | 'pptx' | 'xlsx'

/** The text of a document. */
export type Extracted = {
  /** What it is by its content, whatever its name says. */
  readonly kind: DocumentKind
  /** Never empty; lines end with `\n`, and there are no lone surrogates. */
  readonly text: string
  /** Where pages, slides, sheets and chapters begin, as places in the text, ascending: good places to cut. */
  readonly breaks: readonly number[]
}

export type Chunking = {
  /** 100 to 4096. */
  readonly maxTokens: number
  /** How much of the end of a piece the next one repeats at most; 0 to half of `maxTokens`. */
  readonly overlapTokens: number
}

/** The vendor's own. */
export const defaultChunking: Chunking = { maxTokens: 800, overlapTokens: 400 }

export type TextChunk = {
  readonly text: string
  /** Characters at its start that stand at the end of the one before too: what follows them, of all pieces in their order, is the text. */
  readonly repeated: number
  readonly tokens: number
}

export type Chunked = {
  readonly kind: DocumentKind
  /** Of the text, repetitions not counted. */
  readonly characters: number
  readonly tokens: number
  /** At least one. */
  readonly chunks: readonly TextChunk[]
}

/** Reads documents in processes of their own. */
export type Extractor = {
  /** Rejects with IngestionError, or with the signal's reason when it aborts. */
  extract(file: SourceFile, signal: AbortSignal): Promise<Extracted>
  /**
   * `extract` and `chunkText` in one, both away from the process of the server: counting the tokens of a long text takes seconds.
   * Rejects likewise.
   */
  extractChunks(file: SourceFile, chunking: Chunking, signal: AbortSignal): Promise<Chunked>
  /** Ends the processes; what they were reading is rejected with `server_error`. */
  close(): Promise<void>
}

/** As the API has them in `last_error` of a file. */
export type IngestionErrorCode = 'unsupported_file' | 'invalid_file' | 'server_error'

/**
 * Why there is no text of a document. The message is for whoever uploaded it: what is wrong, and what to do. `server_error`: the fault is
 * not the document's, as far as can be told, and another attempt may do better.
 */
export class IngestionError extends Error {
  override readonly name = 'IngestionError'
  readonly code: IngestionErrorCode

  constructor(code: IngestionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What reading one document may take. */
export type IngestionLimits = {
  /** Of the document as it is stored. */
  readonly fileBytes: number
  /** Of its text. */
  readonly tokens: number
  /** Of its text, in UTF-16 units. */
  readonly characters: number
  /** From its first byte to its last piece. */
  readonly wallMs: number
  /** Of the process that reads it, everything counted (resident). */
  readonly memoryBytes: number
  /** What the parts of an Office document may unpack to, all together. */
  readonly unpackedBytes: number
  readonly archiveEntries: number
  readonly pages: number
}

export const defaultLimits: IngestionLimits = {
  fileBytes: 512 * 2 ** 20,
  tokens: 5_000_000,
  characters: 32_000_000,
  wallMs: 120_000,
  memoryBytes: 1024 * 2 ** 20,
  unpackedBytes: 256 * 2 ** 20,
  archiveEntries: 20_000,
  pages: 20_000,
}
