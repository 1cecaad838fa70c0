import { mkdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Fault } from '../../core/fault.ts'
import { isJsonObject } from '../../core/json.ts'
import { errorCode, privateFolderMode, quotePath, readFileIfThere, writePrivateFile } from './private-file.ts'

/** Everything a server keeps lies in one folder. The names are here and nowhere else. */
export type DataFolder = {
  readonly path: string
  readonly database: string
  /** The request log, where it is not in another database. */
  readonly requests: string
  readonly backups: string
  /** Content of files, where no other store is configured. */
  readonly blobs: string
  readonly managementKey: string
  /** What opens the metrics. */
  readonly metricsKey: string
  readonly secretKey: string
  readonly lock: string
  readonly server: string
  /** Certificate of the local authority, and the same among the system's roots: what clients are pointed at. */
  readonly caFile: string
  readonly caBundle: string
  readonly trustStore: string
  /** Private keys and the served certificate. */
  readonly tls: string
}

export type DataFolderChoices = {
  /** `--data` or `PONTO_DATA`. */
  readonly given?: string | undefined
  readonly xdgDataHome?: string | undefined
  readonly homeFolder: string
}

/** Where the data lies: what was given, else `$XDG_DATA_HOME/ponto`, else `~/.ponto`. Touches nothing. */
export function locateDataFolder(choices: DataFolderChoices): DataFolder {
  const path = resolve(
    choices.given || (choices.xdgDataHome ? join(choices.xdgDataHome, 'ponto') : join(choices.homeFolder, '.ponto')),
  )
  const at = (name: string) => join(path, name)
  return {
    path,
    database: at('ponto.db'),
    requests: at('requests.db'),
    backups: at('backups'),
    blobs: at('blobs'),
    managementKey: at('management.key'),
    metricsKey: at('metrics.key'),
    secretKey: at('secret.key'),
    lock: at('server.lock'),
    server: at('server.json'),
    caFile: at('ca.pem'),
    caBundle: at('ca-bundle.pem'),
    trustStore: at('truststore.p12'),
    tls: at('tls'),
  }
}

/**
 * Makes the folder and the one for keys, for their owner only.
 *
 * @throws Fault `forbidden` or `conflict` when it cannot be made, saying what to do.
 */
export function createDataFolder(folder: DataFolder): void {
  for (const path of [folder.path, folder.tls]) {
    try {
      mkdirSync(path, { recursive: true, mode: privateFolderMode })
    } catch (error) {
      throw explainFolder(path, error)
    }
  }
}

function explainFolder(path: string, error: unknown): Fault {
  const code = errorCode(error)
  const other = 'Choose another folder with --data DIR (or PONTO_DATA).'
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return new Fault('conflict', `${path} cannot be the data folder: a file is in the way. ${other}`)
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const reason = code === 'EROFS' ? 'the file system is read-only' : 'this user may not write there'
    return new Fault('forbidden', `The data folder ${path} cannot be made: ${reason}. ${other}`)
  }
  return new Fault('conflict', `The data folder ${path} cannot be made: ${(error as Error).message}. ${other}`)
}

/** What a running server tells the command line, in `server.json`. */
export type ServerRecord = {
  readonly pid: number
  readonly startedAt: string
  readonly version: string
  /** Base URLs without a trailing slash: `https://localhost:8443`. */
  readonly httpsUrl?: string | undefined
  readonly httpUrl?: string | undefined
  /** How to trust `httpsUrl`: by the local authority, or by exactly the certificate in a file an operator gave. */
  readonly trust: { readonly kind: 'authority' | 'pinned'; readonly file: string }
}

export function writeServerRecord(folder: DataFolder, record: ServerRecord): void {
  writePrivateFile(folder.server, `${JSON.stringify(record, null, 2)}\n`)
}

export function removeServerRecord(folder: DataFolder): void {
  rmSync(folder.server, { force: true })
}

/**
 * The record of the server of this folder, or undefined when there is none. A server that was killed leaves its record: the
 * caller finds out by connecting.
 *
 * @throws Fault `conflict` when the file is not a record.
 */
export function readServerRecord(folder: DataFolder): ServerRecord | undefined {
  const text = readFileIfThere(folder.server)
  if (text === undefined) return undefined
  const record = parseRecord(text)
  if (record) return record
  throw new Fault(
    'conflict',
    `${folder.server} is damaged. Remove it and start the server again: rm ${quotePath(folder.server)}`,
  )
}

function parseRecord(text: string): ServerRecord | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (!isJsonObject(value) || typeof value.pid !== 'number' || !isJsonObject(value.trust ?? null)) return undefined
    return value as unknown as ServerRecord
  } catch {
    return undefined
  }
}
