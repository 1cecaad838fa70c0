import { type ChildProcess, fork } from 'node:child_process'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AnswerMessage, type DoneMessage, outOfMemoryMark, type ReadMessage } from './child/protocol.ts'
import { type Chunking, IngestionError, type IngestionLimits, type SourceFile, type TextChunk } from './port.ts'

/** A process that reads documents, one at a time. */
export type Reader = {
  /** Whether it can be given another one. */
  isFit(): boolean
  /** Rejects with IngestionError, with the signal's reason, or with what the file's source fails with. */
  read(file: SourceFile, chunking: Chunking | undefined, signal: AbortSignal): Promise<Answer>
  /** Resolves when the process is gone. */
  kill(): Promise<void>
}

export type Answer = Omit<DoneMessage, 'type' | 'memoryBytes'> & {
  readonly text: string
  readonly chunks: readonly TextChunk[]
}

export type ReaderOptions = {
  readonly limits: IngestionLimits
  /** What the process sees of the environment. */
  readonly environment: Readonly<Record<string, string>>
}

type Job = {
  readonly texts: string[]
  readonly chunks: TextChunk[]
  units: number
  isOver: boolean
  readonly outcome: PromiseWithResolvers<Answer>
}

const childFile = fileURLToPath(new URL('./child/child.ts', import.meta.url))

export function startReader({ limits, environment }: ReaderOptions): Reader {
  const child = fork(childFile, [], {
    execPath: process.execPath,
    execArgv: [],
    // Where the runtime finds no settings that it would take over.
    cwd: dirname(childFile),
    env: { ...environment },
    serialization: 'advanced',
    stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
  })
  const ended = Promise.withResolvers<void>()
  let job: Job | undefined
  let hasEnded = false
  let isSpent = false
  let saysOutOfMemory = false

  const end = (error: IngestionError): void => {
    hasEnded = true
    ended.resolve()
    job?.outcome.reject(error)
  }
  child.on('message', (message) => job && receive(job, message as AnswerMessage))
  child.on('error', (cause) => end(new IngestionError('server_error', lostText, { cause })))
  // `close` comes when standard error has been read to its end, `exit` may come before.
  child.on('close', () =>
    end(
      saysOutOfMemory ? new IngestionError('invalid_file', memoryText) : new IngestionError('server_error', lostText),
    ),
  )
  child.stdin?.on('error', () => {})
  child.stderr?.on('data', (text: Buffer) => {
    saysOutOfMemory ||= text.includes(outOfMemoryMark)
  })

  function receive(job: Job, message: AnswerMessage): void {
    if (message.type === 'text') {
      job.texts.push(message.text)
      job.units += message.text.length
    } else if (message.type === 'chunks') {
      for (const chunk of message.chunks) {
        job.chunks.push(chunk)
        job.units += chunk.text.length
      }
    } else {
      isSpent ||= message.memoryBytes > limits.memoryBytes / 2
      if (message.type === 'failed') job.outcome.reject(new IngestionError(message.code, message.message))
      else {
        const { kind, breaks, characters, tokens } = message
        job.outcome.resolve({ kind, breaks, characters, tokens, text: job.texts.join(''), chunks: job.chunks })
      }
      return
    }
    // With half of each piece repeated, a text comes to twice its length; anything more is not what was asked for.
    if (job.units > 3 * limits.characters) abandon(job, new IngestionError('server_error', lostText))
  }

  /** A process in the middle of something cannot be used again. */
  function abandon(job: Job, reason: unknown): void {
    if (job.isOver) return
    child.kill('SIGKILL')
    isSpent = true
    job.outcome.reject(reason)
  }

  return {
    isFit: () => !hasEnded && !isSpent,
    async read(file, chunking, signal) {
      const current: Job = { texts: [], chunks: [], units: 0, isOver: false, outcome: Promise.withResolvers() }
      job = current
      const leave = (): void => abandon(current, signal.reason)
      signal.addEventListener('abort', leave)
      let clock: NodeJS.Timeout | undefined
      try {
        const message: ReadMessage = { type: 'read', filename: file.filename, bytes: file.bytes, chunking, limits }
        if (child.connected) child.send(message)
        handOver(file, child, current)
          .then(() => {
            if (current.isOver) return
            clock = setTimeout(() => abandon(current, new IngestionError('invalid_file', timeText)), limits.wallMs)
          })
          .catch((error) => abandon(current, error))
        return await current.outcome.promise
      } finally {
        current.isOver = true
        job = undefined
        clearTimeout(clock)
        signal.removeEventListener('abort', leave)
      }
    },
    async kill() {
      isSpent = true
      if (!hasEnded) child.kill('SIGKILL')
      await ended.promise
    },
  }
}

const lostText =
  'The process that reads documents ended in the middle of this file. Try again; if that fails too, save the file in another format.'
const memoryText = 'Reading this file takes more memory than the server allows. Split it into smaller files.'
const timeText = 'Reading this file takes longer than the server allows. Split it into smaller files.'

/** Exactly as many bytes as the child was told, at the pace it takes them. */
async function handOver(file: SourceFile, child: ChildProcess, job: Job): Promise<void> {
  const { stdin } = child
  if (!stdin) return
  const over = job.outcome.promise.then(
    () => {},
    () => {},
  )
  let sent = 0
  for await (const piece of file.open()) {
    if (job.isOver) return
    sent += piece.length
    if (sent > file.bytes) break
    // A process that has gone takes nothing any more, and its end says why.
    if (!stdin.write(piece)) await Promise.race([new Promise((resolve) => stdin.once('drain', resolve)), over])
  }
  if (sent !== file.bytes && !job.isOver)
    throw new IngestionError(
      'server_error',
      'The stored file is not of the size that it was uploaded with. Upload it again.',
    )
}
