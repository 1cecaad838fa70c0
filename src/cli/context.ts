import type { DataFolder } from '../boot/folder/data-folder.ts'

/** Where text goes. A Node stream fits; so does a test's array. */
export type Output = {
  write(text: string | Uint8Array): unknown
  readonly isTTY?: boolean | undefined
  readonly columns?: number | undefined
}

/** Where answers to questions come from: `process.stdin` fits. */
export type Input = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined
  setRawMode?: ((mode: boolean) => unknown) | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

export const outputFormats = ['table', 'json', 'yaml'] as const
export type OutputFormat = (typeof outputFormats)[number]

export type CheckLevel = 'ok' | 'warn' | 'fail'

/** One line of `ponto doctor`. */
export type Check = {
  readonly name: string
  readonly level: CheckLevel
  readonly detail: string
  /** What to do about it. */
  readonly fix?: string | undefined
}

/** Where a server keeps what it has, as far as it is no secret. */
export type StoreSettings = { readonly blobs: string; readonly caFile?: string | undefined }

/** Checks only the composition root can make, since they open stores and the engine. */
export type Probes = {
  database(folder: DataFolder, settings: StoreSettings): Promise<Check>
  files(folder: DataFolder, settings: StoreSettings): Promise<Check>
  counters(folder: DataFolder, settings: StoreSettings): Promise<Check>
  engine(folder: DataFolder): Promise<Check>
}

/** What a command works with; the options are those given before or after the command. */
export type CommandContext = {
  readonly env: Environment
  readonly stdin: Input
  readonly stdout: Output
  readonly stderr: Output
  readonly version: string
  readonly probes?: Probes | undefined
  folder(): DataFolder
  /** The resource that the command is about; undefined: the server's own. */
  resource(): string | undefined
  format(): OutputFormat
  isColored(): boolean
  /** For a result that scripts ask for by the exit code and that is no failure. */
  exitWith(code: number): void
}
