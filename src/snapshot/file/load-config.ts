import { readFileSync, statSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import type { CapacityRules } from '../capacity/judge-capacity.ts'
import type { Declared } from '../filter/collection.ts'
import type { DeclaredFilters } from '../filter/filters-state.ts'
import type { DeploymentPolicy } from '../policy/deployment-policy.ts'
import type { FileDeployment } from './contents.ts'
import type { DeclaredIdentity } from './identity-section.ts'
import type { ConfigOptions, ConfigProblem } from './parse-config.ts'
import type { FileOwnResource, FileResource } from './resource-section.ts'
import type { WebhookSpec } from './webhook-section.ts'

/** What a valid configuration file declares. `modifiedAt` is unix milliseconds. */
export type Config = {
  readonly file: string
  readonly deployments: readonly FileDeployment[]
  /** What is said of the server's own resource, and the others, each with what it has. */
  readonly resource: FileOwnResource | undefined
  readonly resources: readonly FileResource[]
  /** What its sections `models`, `quota` and `placement` say. */
  readonly rules: Omit<CapacityRules, 'now'>
  /** What its sections `filterEngines`, `raiPolicies`, `raiBlocklists` and `raiTopics` say. */
  readonly filters: DeclaredFilters
  readonly webhooks: readonly WebhookSpec[]
  /** What its sections `identity` and `network` say. */
  readonly identity: DeclaredIdentity
  readonly deploymentPolicies: readonly Declared<DeploymentPolicy>[]
  readonly modifiedAt: number
}

export type ConfigFailure = { readonly file: string; readonly problems: readonly ConfigProblem[] }

export type ConfigLoad = { readonly config: Config } | { readonly failure: ConfigFailure }

const maxFileBytes = 16 * 1024 * 1024
/** Of a text that the file names. */
const maxTextBytes = 4 * 1024 * 1024

/** Reads and judges the configuration file. Never throws: what keeps the file from being read is a problem of it too. */
export async function loadConfig(file: string, options: ConfigOptions): Promise<ConfigLoad> {
  const fail = (...problems: readonly ConfigProblem[]): ConfigLoad => ({ failure: { file, problems } })
  try {
    const read = await readText(file)
    if ('text' in read) return fail(read)
    // Loaded when there is a file to read: most starts have none, and the YAML parser costs 10 ms.
    const { parseConfig } = await import('./parse-config.ts')
    const reading = parseConfig(read.content, file, { ...options, readTextFile: (path) => readTextBeside(file, path) })
    if (!reading.isValid) return fail(...reading.problems)
    const { isValid, ...declared } = reading
    return { config: { file, ...declared, modifiedAt: read.modifiedAt } }
  } catch (error) {
    return fail({ text: describeFileError(error) })
  }
}

/** One line for each problem: `ponto.yaml:3:11: deployments[0].model.name: got 5, expected a string`. */
export function formatFailure({ file, problems }: ConfigFailure): string {
  return problems
    .map(({ line, column, text }) => (line === undefined ? `${file}: ${text}` : `${file}:${line}:${column}: ${text}`))
    .join('\n')
}

async function readText(file: string): Promise<{ content: string; modifiedAt: number } | { text: string }> {
  const found = await stat(file)
  if (!found.isFile()) return { text: 'this is no regular file' }
  if (found.size > maxFileBytes) return { text: `the file has ${found.size} bytes, expected at most ${maxFileBytes}` }
  const content = new TextDecoder('utf-8', { fatal: true }).decode(await readFile(file))
  return { content, modifiedAt: Math.floor(found.mtimeMs) }
}

/** The text of a file that the configuration names, by a path from where that lies. Throws an Error that says why there is none. */
function readTextBeside(config: string, path: string): string {
  const file = resolve(dirname(config), path)
  try {
    const found = statSync(file)
    if (!found.isFile()) throw new Error('this is no regular file')
    if (found.size > maxTextBytes) {
      throw new Error(`the file has ${found.size} bytes, expected at most ${maxTextBytes}`)
    }
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(file))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new Error(code === 'ENOENT' ? `there is no file ${file}` : describeFileError(error))
  }
}

function describeFileError(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'the file does not exist; to declare no deployments write "deployments: []" into it'
  if (code === 'EACCES') return 'the file may not be read by this user'
  if (error instanceof TypeError) return 'the text is not UTF-8'
  return error instanceof Error ? error.message : String(error)
}
