import { type BuiltinModel, engineSlots, listBuiltinModels } from './builtin-models.ts'
import { startEngine } from './engine.ts'
import { createLazyEngine, type LazyEngine } from './lazy-engine.ts'
import type { LogLevel } from './protocol.ts'

/** The engines of the built-in models, one per model. */
export type Builtins = {
  readonly models: readonly BuiltinModel[]
  find(modelName: string): LazyEngine | undefined
  stop(): Promise<void>
}

const queueLimit = 256

/** Starts the process of the first model right away: nearly every server needs it. */
export function openBuiltins(
  folder: string,
  environment: Readonly<Record<string, string>>,
  log: (level: LogLevel, text: string) => void,
): Builtins {
  const models = listBuiltinModels(folder)
  const engines = new Map(
    models.map((model) => [
      model.name.toLowerCase(),
      createLazyEngine(model.name, () =>
        startEngine({
          modelFile: model.file,
          modelName: model.name,
          contextSize: model.contextLength,
          slots: engineSlots,
          queueLimit,
          environment,
          log,
        }),
      ),
    ]),
  )
  engines.values().next().value?.start()
  return {
    models,
    find: (name) => engines.get(name.toLowerCase()),
    async stop() {
      await Promise.all([...engines.values()].map((engine) => engine.stop()))
    },
  }
}
