import { existsSync } from 'node:fs'
import type { Check } from '../cli/context.ts'
import { openBuiltins } from '../engine/builtins.ts'
import { openSqliteTables } from '../port/tables/sqlite.ts'

/** Checks of `ponto doctor` that need the server's own parts, made while no server is running. */

export async function probeDatabase(file: string): Promise<Check> {
  const name = 'database'
  if (!existsSync(file)) return { name, level: 'ok', detail: 'there is none yet; the first start makes it' }
  const tables = await openSqliteTables(file)
  const deployments = await tables.listDeployments()
  await tables.close()
  return { name, level: 'ok', detail: `schema is current, ${deployments.length} stored deployments` }
}

export async function probeEngine(folder: string, environment: Readonly<Record<string, string>>): Promise<Check> {
  const name = 'engine'
  const builtins = openBuiltins(folder, environment, () => {})
  const [model] = builtins.models
  const engine = model && builtins.find(model.name)?.current()
  if (!model || !engine) return { name, level: 'warn', detail: 'no built-in model is shipped' }
  try {
    await engine.ready()
    return { name, level: 'ok', detail: `${model.name} loads` }
  } finally {
    await builtins.stop()
  }
}
