import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { locateDataFolder } from '../boot/folder/data-folder.ts'
import type { Input } from './context.ts'
import { type Answer, type SeenRequest, startFakeManagement } from './management.fixture.ts'
import { type ProgramParts, runProgram } from './program.ts'

export type Ran = { readonly code: number; readonly out: string; readonly err: string }

/** For tests: the command line against a management server with scripted answers, on a data folder of its own. */
export type ProgramFixture = {
  /** A folder for files; goes away with the fixture. */
  readonly home: string
  /** The requests since the last `script`. */
  readonly seen: SeenRequest[]
  /** What every request gets from now on. */
  script(answer: (request: SeenRequest) => Answer): void
  run(args: readonly string[], parts?: Partial<ProgramParts>): Promise<Ran>
  stop(): Promise<void>
}

export async function startProgram(): Promise<ProgramFixture> {
  const home = mkdtempSync(join(tmpdir(), 'ponto-cli-'))
  const folder = locateDataFolder({ given: join(home, 'data'), homeFolder: home })
  let answer: (request: SeenRequest) => Answer = () => ({ status: 500 })
  const server = await startFakeManagement(folder, (request) => answer(request))
  return {
    home,
    seen: server.seen,
    script(next) {
      answer = next
      server.seen.length = 0
    },
    async run(args, parts) {
      let out = ''
      let err = ''
      const code = await runProgram(
        {
          up: () => Promise.reject(new Error('not asked for')),
          env: { PONTO_DATA: folder.path, HOME: home },
          stdin: Readable.from([]) as unknown as Input,
          stdout: { write: (text) => (out += text) },
          stderr: { write: (text) => (err += text) },
          version: '1.2.3',
          ...parts,
        },
        args,
      )
      return { code, out, err }
    },
    async stop() {
      await server.stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
