import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SuiteReport } from './report.ts'
import { askNode, runNodeChecks } from './run-javascript.ts'
import { isAtLeast, reportBroken, runLoudly, type SuiteOptions } from './toolchain.ts'

const folder = join(import.meta.dir, 'frameworks-js')
const clients = 'openai, @ai-sdk/azure, @langchain/openai, @azure/openai, @azure/arm-cognitiveservices'
const oldestNode = '22.0.0'

/**
 * JavaScript frameworks and the generations of clients that want a newer Node than the project does. Their packages are
 * installed beside their checks, so that the project's own stay few; among them is a Node, for where PATH has an older one.
 */
export async function runFrameworksJs(options: SuiteOptions): Promise<SuiteReport> {
  const { environment, isRequired, tell, onCheck } = options
  try {
    await installPackages(tell)
  } catch (error) {
    return reportBroken(clients, 'Node', error)
  }
  const found = findNode()
  if (found === undefined) {
    const detail = `There is no node ${oldestNode} or newer, neither on PATH nor as a package for ${process.platform} ${process.arch}.`
    const outcome = isRequired ? 'failed' : 'not-run'
    return { runtime: 'Node', checks: [{ client: clients, name: 'node', outcome, detail }] }
  }
  tell(`frameworks-js: ${clients} under Node ${found.version}`)
  return runNodeChecks({ name: 'frameworks-js', ...found, folder, environment, ...(onCheck && { onCheck }) })
}

/** The stamp holds what the packages were installed from, so that a change of it installs them anew. */
async function installPackages(tell: SuiteOptions['tell']): Promise<void> {
  const lock = readFileSync(join(folder, 'package-lock.json'))
  const stamp = `${createHash('sha256').update(lock).digest('hex')}\n`
  const stampFile = join(folder, 'node_modules/.lock-stamp')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return
  tell('frameworks-js: installing the packages of package-lock.json')
  // A newer Node than npm's own is among the packages, so that its warnings about them mean nothing.
  await runLoudly('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], folder)
  writeFileSync(stampFile, stamp)
}

function findNode(): { readonly node: string; readonly version: string } | undefined {
  const packaged = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`)
  for (const node of ['node', packaged]) {
    const version = askNode(node)
    if (version !== undefined && isAtLeast(version, oldestNode)) return { node, version }
  }
  return undefined
}
