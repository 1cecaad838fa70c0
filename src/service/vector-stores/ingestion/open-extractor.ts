import {
  type Chunking,
  defaultLimits,
  type Extractor,
  IngestionError,
  type IngestionLimits,
  type SourceFile,
} from './port.ts'
import { type Answer, type Reader, startReader } from './start-reader.ts'

export type ExtractorOptions = {
  /** What is absent is as in `defaultLimits`. */
  readonly limits?: Partial<IngestionLimits> | undefined
  /** Documents read side by side; 2 when absent. */
  readonly processes?: number | undefined
  /** How long a process without work stays; 30,000 ms when absent. */
  readonly idleMs?: number | undefined
  /** What the processes see of the environment: nothing when absent. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/**
 * Reads documents in processes that are started when there is something to read, and end when there has been nothing for a while. A document
 * that brings its process down costs itself only; the next one gets a new process.
 */
export function openExtractor(options: ExtractorOptions = {}): Extractor {
  const limits: IngestionLimits = { ...defaultLimits, ...options.limits }
  const { processes = 2, idleMs = 30_000, environment = {} } = options
  const idle = new Map<Reader, NodeJS.Timeout>()
  const busy = new Set<Reader>()
  const waiting: (() => void)[] = []
  let free = processes
  let isClosed = false

  async function read(file: SourceFile, chunking: Chunking | undefined, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted()
    checkSize(file.bytes, limits.fileBytes)
    await takeTurn(signal)
    try {
      signal.throwIfAborted()
      if (isClosed) throw closing()
      return await readIn(takeReader(), file, chunking, signal)
    } finally {
      const next = waiting.shift()
      if (next) next()
      else free++
    }
  }

  async function readIn(
    reader: Reader,
    file: SourceFile,
    chunking: Chunking | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    busy.add(reader)
    try {
      return await reader.read(file, chunking, signal)
    } finally {
      busy.delete(reader)
      if (reader.isFit() && !isClosed) keep(reader)
      else await reader.kill()
    }
  }

  function takeReader(): Reader {
    for (const [reader, timer] of idle) {
      clearTimeout(timer)
      idle.delete(reader)
      if (reader.isFit()) return reader
    }
    return startReader({ limits, environment })
  }

  function keep(reader: Reader): void {
    const timer = setTimeout(() => {
      idle.delete(reader)
      void reader.kill()
    }, idleMs)
    timer.unref()
    idle.set(reader, timer)
  }

  /** First come, first served. Whoever ends hands his turn over. */
  async function takeTurn(signal: AbortSignal): Promise<void> {
    if (free > 0) {
      free--
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const leave = (): void => {
      const place = waiting.indexOf(resolve)
      if (place < 0) return
      waiting.splice(place, 1)
      reject(signal.reason)
    }
    waiting.push(resolve)
    signal.addEventListener('abort', leave)
    await promise.finally(() => signal.removeEventListener('abort', leave))
  }

  return {
    async extract(file, signal) {
      const { kind, text, breaks } = await read(file, undefined, signal)
      return { kind, text, breaks }
    },
    async extractChunks(file, chunking, signal) {
      const { kind, characters, tokens, chunks } = await read(file, chunking, signal)
      return { kind, characters, tokens, chunks }
    },
    async close() {
      isClosed = true
      for (const timer of idle.values()) clearTimeout(timer)
      await Promise.all([...idle.keys(), ...busy].map((reader) => reader.kill()))
      idle.clear()
    },
  }
}

function checkSize(bytes: number, most: number): void {
  if (bytes === 0) throw new IngestionError('invalid_file', 'This file is empty.')
  if (bytes > most)
    throw new IngestionError(
      'invalid_file',
      `This file has ${bytes} bytes; at most ${most} are read. Split it into smaller files.`,
    )
}

function closing(): IngestionError {
  return new IngestionError('server_error', 'The server is stopping. Try again.')
}
