import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startProgram } from './start-program.ts'

/** A stand-in for a store, of a test's own: on a free loopback port, ended by its process id. */
export type StoreServer = { readonly url: string; stop(): Promise<void> }

/** `told` finds the URL in what the program prints when it is ready. */
export async function startStoreServer(
  program: string | undefined,
  args: readonly string[],
  told: RegExp,
  env: Record<string, string> = {},
): Promise<StoreServer> {
  if (program === undefined) throw new Error('the program of the stand-in is not there')
  const folder = mkdtempSync(join(tmpdir(), 'ponto-store-'))
  const remove = (): void => rmSync(folder, { recursive: true, force: true })
  try {
    const { ready, end } = await startProgram(program, args, told, { cwd: folder, env: { ...process.env, ...env } })
    return {
      url: ready[1] as string,
      async stop() {
        await end('SIGKILL')
        remove()
      },
    }
  } catch (error) {
    remove()
    throw error
  }
}
