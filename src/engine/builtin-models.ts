import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../core/fault.ts'

/** Answers that the engine of a built-in model writes side by side. */
export const engineSlots = 4

/** A model the project ships: what its `models/<name>/<name>.json` says. */
export type BuiltinModel = {
  readonly format: string
  readonly name: string
  readonly version: string
  readonly description: string
  /** Absolute path of the GGUF file. */
  readonly file: string
  /** Tokens of prompt and answer together. */
  readonly contextLength: number
}

/** The models in `folder`, each with its description beside it. Throws Fault `internal` when a shipped description is damaged. */
export function listBuiltinModels(folder: string): BuiltinModel[] {
  const names = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return names.flatMap(({ name }) => {
    const path = join(folder, name, `${name}.json`)
    try {
      const { format, version, description, file, contextLength } = JSON.parse(readFileSync(path, 'utf8'))
      return [{ format, name, version, description, contextLength, file: join(folder, name, file) }]
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
      throw new Fault('internal', `${path} cannot be read: ${(error as Error).message}`)
    }
  })
}
