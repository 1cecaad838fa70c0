// Installs the dependencies with npm. Loaded by the launcher only when the stamp says that something has changed.

import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

const tickMs = 1000
const spinnerMs = 120
/** The holder touches its lock every second; one that has not for this long is gone. */
const staleLockMs = 30000
/** npm says what is wrong first and, for some errors, goes on with its whole manual. */
const shownLines = { first: 20, last: 10 }

/**
 * Brings node_modules to what the lockfile asks for and writes the stamp. Does nothing but that when somebody already ran npm.
 * Two launchers at once: the second waits for the first.
 */
export async function install(job) {
  if (isUpToDate(job)) return
  const lock = join(job.root, '.ponto-installing')
  const release = await takeLock(lock, job)
  if (!release) return
  try {
    if (isUpToDate(job)) return
    await runNpm(job, lock)
    writeStamp(job)
  } finally {
    release()
  }
}

/** True when the stamp matches, or when what npm noted down as installed is what the lockfile asks for. */
function isUpToDate(job) {
  const written = attempt(() => readFileSync(job.stampFile, 'utf8'))
  if (written === job.stamp) return true
  if (!job.hasBun()) return false
  const missing = listMissing(job)
  if (missing.all === 0) writeStamp(job)
  return job.needsDev ? missing.all === 0 : missing.runtime === 0
}

function listMissing(job) {
  const installed = attempt(() => readJson(join(job.root, 'node_modules', '.package-lock.json')).packages) || {}
  const missing = { all: 0, runtime: 0 }
  for (const [path, entry] of Object.entries(readJson(job.lockfile).packages)) {
    if (path === '' || entry.link) continue
    const found = installed[path]
    if (found ? found.version === entry.version && found.integrity === entry.integrity : entry.optional) continue
    missing.all++
    if (!entry.dev && !entry.devOptional) missing.runtime++
  }
  return missing
}

/** On a read-only checkout there is no stamp, and the next start compares again. */
function writeStamp(job) {
  attempt(() => writeFileSync(job.stampFile, job.stamp))
}

/** Resolves to a function that gives the lock back, or to undefined when another process has done the work meanwhile. */
async function takeLock(lock, job) {
  let progress
  try {
    for (;;) {
      try {
        mkdirSync(lock)
        writeFileSync(join(lock, 'pid'), String(process.pid))
        return () => rmSync(lock, { recursive: true, force: true })
      } catch (error) {
        if (error.code !== 'EEXIST') throw explainReadOnly(job, error)
      }
      if (isStale(lock)) {
        rmSync(lock, { recursive: true, force: true })
        continue
      }
      if (!progress) progress = showProgress(() => 'Waiting for another process that installs the dependencies')
      await new Promise((settle) => setTimeout(settle, 200))
      if (attempt(() => readFileSync(job.stampFile, 'utf8')) === job.stamp) return undefined
    }
  } finally {
    if (progress) progress.end()
  }
}

function isStale(lock) {
  const touched = attempt(() => statSync(lock).mtimeMs)
  if (touched === undefined) return false
  if (Date.now() - touched > staleLockMs) return true
  const pid = Number(attempt(() => readFileSync(join(lock, 'pid'), 'utf8')))
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return error.code === 'ESRCH'
  }
}

function explainReadOnly(job, error) {
  if (!['EACCES', 'EPERM', 'EROFS'].includes(error.code)) return error
  return expected(`The dependencies are not installed, and ${job.root} cannot be written. As a user who may, run:
  npm ci --ignore-scripts --prefix '${job.root}'`)
}

async function runNpm(job, lock) {
  const startedAt = Date.now()
  const progress = showProgress(() => {
    attempt(() => utimesSync(lock, new Date(), new Date()))
    return `Installing the dependencies (once): ${countPackages(job.root)} packages`
  })
  const npm = findNpm()
  // Dev dependencies too, whatever NODE_ENV says: `npm test` needs them, and installing twice would take longer.
  const flags = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  const child = spawn(npm.file, [...npm.args, ...flags], {
    cwd: job.root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: npm.shell,
  })
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  let stoppedBy
  const stop = (signal) => {
    stoppedBy = signal
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, stop)
  const end = await new Promise((settle) => {
    child.once('error', (error) => settle({ error }))
    child.once('close', (code) => settle({ code }))
  })
  for (const signal of signals) process.off(signal, stop)
  progress.end()
  if (stoppedBy) throw expected(`The installation was stopped (${stoppedBy}); the next start does it again.`, 130)
  if (end.error)
    throw expected(`npm cannot be started (${end.error.message}). It comes with Node: https://nodejs.org/.`)
  if (end.code !== 0) throw expected(explainFailure(end.code, Buffer.concat(output).toString('utf8')))
  process.stderr.write(`Installed the dependencies in ${seconds(startedAt)}.\n`)
}

/** The npm that started us, or the one on the path. Other package managers set the same variable. */
function findNpm() {
  const path = process.env.npm_execpath
  if (path && /^npm(-cli)?\.c?js$/.test(basename(path))) return { file: process.execPath, args: [path], shell: false }
  return { file: 'npm', args: [], shell: process.platform === 'win32' }
}

function explainFailure(code, output) {
  const all = output.trimEnd().split('\n')
  const isLong = all.length > shownLines.first + shownLines.last
  const lines = isLong ? [...all.slice(0, shownLines.first), '...', ...all.slice(-shownLines.last)] : all
  return `npm could not install the dependencies (exit code ${code}). What it said:

${lines.map((line) => `  ${line}`).join('\n')}

If the network was the reason, start again. Behind a proxy, set HTTPS_PROXY or npm's own "proxy" setting.`
}

/** A spinner on a terminal, else a line a second, on stderr. */
function showProgress(describe) {
  const startedAt = Date.now()
  const isTerminal = process.stderr.isTTY
  const frames = '⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏'
  let step = 0
  let text = describe()
  let describedAt = startedAt
  const show = () => {
    if (Date.now() - describedAt >= tickMs) {
      text = describe()
      describedAt = Date.now()
    }
    const line = `${text}, ${seconds(startedAt)}`
    process.stderr.write(isTerminal ? `\r\x1b[2K${frames[step++ % frames.length]} ${line}` : `${line}\n`)
  }
  show()
  const timer = setInterval(show, isTerminal ? spinnerMs : tickMs)
  return {
    end() {
      clearInterval(timer)
      if (isTerminal) process.stderr.write('\r\x1b[2K')
    },
  }
}

function countPackages(root) {
  const modules = join(root, 'node_modules')
  let count = 0
  for (const name of attempt(() => readdirSync(modules)) || []) {
    if (name.startsWith('.')) continue
    count += name.startsWith('@') ? (attempt(() => readdirSync(join(modules, name))) || []).length : 1
  }
  return count
}

function seconds(since) {
  return `${Math.round((Date.now() - since) / 1000)} s`
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'))
}

function attempt(action) {
  try {
    return action()
  } catch {
    return undefined
  }
}

function expected(message, exitCode) {
  return Object.assign(new Error(message), { isExpected: true, exitCode })
}
