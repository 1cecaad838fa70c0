#!/usr/bin/env node
// The launcher: what a machine with only Node and npm runs. It sees to it that the dependencies are there, finds the Bun binary
// among them, runs the program with it and passes signals on; a server that crashes is started again.
// Plain JavaScript without dependencies, in syntax that an old Node can at least parse, so that it can say what is missing.

import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, chmodSync, constants, existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const oldestNode = 20

/** Exit codes of a server that must not be started again: done, wrong usage, and "refused to start" (EX_CONFIG). */
const finalExitCodes = [0, 2, 78]
/** Of a server that has waited in vain for what it needs, and has said so (EX_TEMPFAIL). */
const unreadyExitCode = 75
/** Ends that somebody asked for, whoever sent the signal. */
const stopSignals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const firstRestartMs = 250
const slowestRestartMs = 30000
/** A server that has run this long starts with a clean record. */
const healthyAfterMs = 60000

/** Options of the program that take a value and may stand before the command. */
const valueOptions = ['--data', '--output', '-o']

const signalNumbers = { SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 }

let knownPlatform

main(process.argv.slice(2)).catch((error) => {
  tell(error.isExpected ? error.message : error.stack)
  process.exitCode = error.exitCode || 78
})

async function main(args) {
  checkNode()
  const isScript = args[0] === '--run-script'
  if (isScript && !args[1]) throw expected('--run-script needs a file.', 2)
  await ensureInstalled(isScript)
  const bun = findBun()
  if (isScript) return exitLike(await run(bun, args.slice(1)).ended)
  const program = [join(root, 'src', 'main.ts'), ...args]
  return exitLike(await (isServer(args) ? supervise(bun, program) : run(bun, program).ended))
}

function checkNode() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= oldestNode) return
  throw expected(`Node ${oldestNode} or newer is needed; this is ${process.version}. Get one from https://nodejs.org/.`)
}

/** The usual start costs one hash: the stamp says that what package-lock.json asks for is installed for this platform. */
async function ensureInstalled(needsDev) {
  const lockfile = join(root, 'package-lock.json')
  if (!existsSync(lockfile)) return
  const text = readFileSync(lockfile)
  const stamp = `${createHash('sha256').update(text).digest('hex')} ${platformName()}\n`
  const stampFile = join(root, 'node_modules', '.ponto-stamp')
  if (readStamp(stampFile) === stamp) return
  const { install } = await import('./install.mjs')
  await install({ root, lockfile, stampFile, stamp, needsDev, hasBun: () => findInstalledBun() !== undefined })
}

function readStamp(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** As the packages that carry the Bun binary are named. */
function platformName() {
  if (!knownPlatform) knownPlatform = readPlatform()
  return knownPlatform
}

function readPlatform() {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const arch = process.arch === 'arm64' ? 'aarch64' : process.arch
  return `${platform}-${arch}${platform === 'linux' && isMusl() ? '-musl' : ''}`
}

/** Node tells the version of the GNU C library it runs on; on musl there is none. */
function isMusl() {
  process.report.excludeNetwork = true
  return !process.report.getReport().header.glibcVersionRuntime
}

function findInstalledBun() {
  const file = process.platform === 'win32' ? 'bun.exe' : 'bun'
  const path = join(root, 'node_modules', '@oven', `bun-${platformName()}`, 'bin', file)
  return existsSync(path) ? path : undefined
}

function findBun() {
  const given = process.env.PONTO_BUN
  if (given && !existsSync(given)) throw expected(`PONTO_BUN names ${given}, which does not exist.`)
  const path = given ? resolve(given) : findInstalledBun()
  if (!path) throw expected(explainMissingBun())
  if (!isExecutable(path)) {
    try {
      chmodSync(path, 0o755)
    } catch {
      throw expected(`${path} is not executable and cannot be made so. Run: chmod +x '${path}'`)
    }
  }
  return path
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function explainMissingBun() {
  const { optionalDependencies = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const supported = Object.keys(optionalDependencies)
    .filter((name) => name.startsWith('@oven/bun-'))
    .map((name) => name.slice('@oven/bun-'.length))
  const here = platformName()
  if (supported.includes(here)) {
    return `The Bun binary for ${here} is missing: optional dependencies were left out. Run: npm ci --include=optional`
  }
  return `There is no Bun binary for ${here}. Supported: ${supported.join(', ')}.
Where you have a Bun of your own, name it: PONTO_BUN=/path/to/bun`
}

function isServer(args) {
  if (args.includes('--help') || args.includes('-h')) return false
  for (let index = 0; index < args.length; index++) {
    if (valueOptions.includes(args[index])) index++
    else if (!args[index].startsWith('-')) return args[index] === 'up'
  }
  return false
}

/** Starts the program. `ended` resolves to its `{ code, signal }`. */
function run(bun, args) {
  const child = spawn(bun, args, { stdio: 'inherit', windowsHide: true })
  let isStopping = false
  const handlers = stopSignals.map((signal) => {
    const handler = () => {
      isStopping = true
      // A terminal sends Ctrl-C to every process in its foreground: passing it on would make it two.
      if (signal !== 'SIGINT' || !isOnTerminal()) child.kill(signal)
    }
    process.on(signal, handler)
    return [signal, handler]
  })
  const ended = new Promise((settle, fail) => {
    child.once('error', (error) => fail(expected(`${bun} cannot be started: ${error.message}`)))
    child.once('exit', (code, signal) => settle({ code, signal, isStopping }))
  }).finally(() => {
    for (const [signal, handler] of handlers) process.off(signal, handler)
  })
  return { ended }
}

function isOnTerminal() {
  return Boolean(process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY)
}

/**
 * Stops when the parent is gone. npm hands a signal to the shell it runs the script with, and that shell dies of it without
 * telling us; without this, ending `npm start` would leave the server running.
 */
function followParent() {
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    process.kill(process.pid, 'SIGTERM')
  }, 250)
  timer.unref()
}

/** Runs the server again for as long as it ends in a way nobody asked for. */
async function supervise(bun, args) {
  if (process.env.npm_lifecycle_event) followParent()
  let delayMs = firstRestartMs
  for (;;) {
    const startedAt = Date.now()
    const end = await run(bun, args).ended
    if (end.isStopping || isFinal(end)) return end
    if (Date.now() - startedAt >= healthyAfterMs) delayMs = firstRestartMs
    tell(`${describeEnd(end)}; starting it again in ${delayMs / 1000} s. Stop it with Ctrl-C.`)
    const stopped = await waitOrStop(delayMs)
    if (stopped) return { code: null, signal: stopped }
    delayMs = Math.min(delayMs * 2, slowestRestartMs)
  }
}

function describeEnd(end) {
  if (end.code === unreadyExitCode) return 'the server could not start yet'
  return `the server ended unexpectedly (${end.signal ? `signal ${end.signal}` : `exit code ${end.code}`})`
}

function isFinal(end) {
  if (end.signal) return stopSignals.includes(end.signal)
  return finalExitCodes.includes(end.code) || stopSignals.some((signal) => end.code === 128 + signalNumbers[signal])
}

/** Resolves to undefined after the time, or to the signal that came before it. */
function waitOrStop(ms) {
  return new Promise((settle) => {
    const handlers = stopSignals.map((signal) => [signal, () => finish(signal)])
    const timer = setTimeout(finish, ms)
    for (const [signal, handler] of handlers) process.on(signal, handler)
    function finish(signal) {
      clearTimeout(timer)
      for (const [name, handler] of handlers) process.off(name, handler)
      settle(signal)
    }
  })
}

function exitLike(end) {
  process.exitCode = end.signal ? 128 + (signalNumbers[end.signal] || 1) : end.code
}

function expected(message, exitCode) {
  return Object.assign(new Error(message), { isExpected: true, exitCode })
}

function tell(text) {
  process.stderr.write(`ponto: ${text}\n`)
}
