import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A stand-in for a store, of a test's own: on a free loopback port, ended by its process id. */
export type StoreServer = { readonly url: string; stop(): Promise<void> }

const startLimitMs = 30_000

/** `told` finds the URL in what the program prints when it is ready. */
export async function startStoreServer(
  program: string | undefined,
  args: readonly string[],
  told: RegExp,
  env: Record<string, string> = {},
): Promise<StoreServer> {
  if (program === undefined) throw new Error('the program of the stand-in is not there')
  const folder = mkdtempSync(join(tmpdir(), 'ponto-store-'))
  const child = spawn(program, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = new Promise<void>((done) => child.once('exit', () => done()))
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await exited
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    return { url: await findUrl(child, exited, told, program), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function findUrl(child: ChildProcess, exited: Promise<void>, told: RegExp, program: string): Promise<string> {
  let output = ''
  const timer = setTimeout(() => child.kill('SIGKILL'), startLimitMs)
  try {
    return await new Promise((done, fail) => {
      const read = (chunk: Buffer): void => {
        // Once it is ready, what it says of every request is not kept.
        if (output.length < 100_000) output += chunk
        const url = told.exec(output)?.[1]
        if (url !== undefined) done(url)
      }
      child.stdout?.on('data', read)
      child.stderr?.on('data', read)
      child.once('error', fail)
      exited.then(() => fail(new Error(`${program} ended before it was ready:\n${output}`)))
    })
  } finally {
    clearTimeout(timer)
  }
}
