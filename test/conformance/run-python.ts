import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Check, runSuite, type SuiteReport } from './report.ts'

const folder = join(import.meta.dir, 'python')
const environments = resolve(import.meta.dir, '../../.venv')
const oldestPython = [3, 10] as const
const limitMs = 300_000

type PythonSuite = {
  readonly name: string
  readonly requirements: string
  readonly modules: readonly string[]
  /** Whose packages may well not be made for this Python or this machine. */
  readonly frameworks?: string
}

const inference = ['inference_chat', 'inference_async', 'inference_embeddings', 'inference_images', 'inference_filters']

/** A virtual environment each. The snippet's way of writing messages is newer than the older generation. */
const suites: readonly PythonSuite[] = [
  {
    name: 'python',
    requirements: 'requirements.txt',
    modules: [
      'inference_snippet',
      ...inference,
      'openai_checks',
      'openai_async',
      'openai_stored',
      'openai_responses',
      'openai_filters',
      'openai_batches',
      'limits_checks',
      'content_safety',
      'management_checks',
      'identity_checks',
      'exports_checks',
    ],
  },
  { name: 'python-b5', requirements: 'requirements-b5.txt', modules: inference },
  {
    name: 'python-frameworks',
    requirements: 'requirements-frameworks.txt',
    modules: ['inference_traced', 'langchain_checks', 'semantic_kernel_checks', 'llama_index_checks'],
    frameworks: 'langchain-openai, semantic-kernel, llama-index',
  },
]

export type PythonOptions = {
  /** The server's variables, for the checks. */
  readonly environment: Readonly<Record<string, string>>
  /** Whether a machine without Python is a failure; elsewhere it is a skip. */
  readonly isRequired: boolean
  readonly tell: (line: string) => void
  readonly onCheck?: (check: Check) => void
}

/**
 * The vendors' Python clients, each generation in a virtual environment that is made when it is missing or out of date.
 */
export async function runPython(options: PythonOptions): Promise<SuiteReport[]> {
  const version = findPython()
  if (version === undefined) {
    const detail = `There is no python3 ${oldestPython.join('.')} or newer on PATH.`
    return [explainMissing(detail, options.isRequired ? 'failed' : 'skipped')]
  }
  const reports: SuiteReport[] = []
  for (const suite of suites) {
    const runtime = `Python ${version}`
    try {
      const venv = await makeVenv(suite, version, options.tell)
      options.tell(`${suite.name}: ${suite.modules.join(', ')} under ${runtime}`)
      reports.push(await runChecks(suite, venv, runtime, options))
    } catch (error) {
      const detail = (error as Error).message
      const client = suite.frameworks ?? suite.name
      const outcome = suite.frameworks && !options.isRequired ? 'not-run' : 'failed'
      reports.push({ runtime, checks: [{ client, name: 'virtual environment', outcome, detail }] })
    }
  }
  return reports
}

function findPython(): string | undefined {
  try {
    const script = 'import platform; print(platform.python_version())'
    const version = execFileSync('python3', ['-c', script], { encoding: 'utf8', stdio: 'pipe' }).trim()
    const [major = 0, minor = 0] = version.split('.').map(Number)
    return major > oldestPython[0] || (major === oldestPython[0] && minor >= oldestPython[1]) ? version : undefined
  } catch {
    return undefined
  }
}

function explainMissing(detail: string, outcome: 'failed' | 'skipped'): SuiteReport {
  return {
    runtime: 'Python missing',
    checks: [{ client: 'azure-ai-inference, openai', name: 'python3', outcome, detail }],
  }
}

/** The stamp holds what the environment was made from, so that a change of either makes it anew. */
async function makeVenv(
  { name, requirements }: PythonSuite,
  version: string,
  tell: PythonOptions['tell'],
): Promise<string> {
  const venv = join(environments, name)
  const wanted = readFileSync(join(folder, requirements))
  const stamp = `${createHash('sha256').update(wanted).digest('hex')} ${version}\n`
  const stampFile = join(venv, '.requirements-stamp')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return venv
  tell(`${name}: making .venv/${name} from ${requirements}`)
  rmSync(venv, { recursive: true, force: true })
  await runLoudly('python3', ['-m', 'venv', venv])
  const pip = ['-m', 'pip', 'install', '--no-input', '--disable-pip-version-check', '-r', join(folder, requirements)]
  await runLoudly(join(venv, 'bin/python'), pip)
  writeFileSync(stampFile, stamp)
  return venv
}

/** What the program prints goes to standard error, as progress. */
function runLoudly(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { stdio: ['ignore', 2, 2] })
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', (code, signal) => {
      if (code === 0) done()
      else fail(new Error(`${program} ${args.join(' ')} ended with ${signal ?? code}`))
    })
  })
}

function runChecks(suite: PythonSuite, venv: string, runtime: string, options: PythonOptions): Promise<SuiteReport> {
  return runSuite({
    name: suite.name,
    runtime,
    program: join(venv, 'bin/python'),
    args: ['-B', 'run.py', ...suite.modules],
    folder,
    environment: options.environment,
    limitMs,
    ...(options.onCheck && { onCheck: options.onCheck }),
  })
}
