import { readFileSync } from 'node:fs'
import { errorCode } from '../../boot/folder/private-file.ts'
import { Fault } from '../../core/fault.ts'
import { isJsonObject, type JsonObject } from '../../core/json.ts'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import type { CommandContext } from '../context.ts'
import { readAll } from '../terminal/read-secret.ts'

const largestSpec = 1_048_576

/** The deployment that a YAML or JSON file describes, `-` being standard input. Throws Fault `invalid-request`, naming the file. */
export async function readSpecFile(
  context: CommandContext,
  file: string,
  name: string | undefined,
): Promise<DeploymentInput> {
  const { parseDocument } = await import('yaml')
  const document = parseDocument(file === '-' ? await readAll(context, largestSpec) : readSpec(file))
  const problem = document.errors[0]
  if (problem) throw new Fault('invalid-request', `${file}: ${problem.message.trimEnd()}`)
  const spec: unknown = document.toJS()
  if (!isJsonObject(spec as JsonObject))
    throw new Fault('invalid-request', `${file} holds no deployment: name, model, backends.`)
  const written = (spec as JsonObject).name
  if (name && typeof written === 'string' && written.toLowerCase() !== name.toLowerCase()) {
    throw new Fault('invalid-request', `${file} is about "${written}", not "${name}".`)
  }
  if (!name && typeof written !== 'string')
    throw new Fault('invalid-request', `${file} names no deployment; give it a "name".`)
  // Everything else is the server's to judge: it knows the rules and names the field.
  return { ...(spec as unknown as DeploymentInput), name: name ?? (written as string) }
}

function readSpec(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new Fault('invalid-request', `${file} cannot be read (${errorCode(error) ?? 'unknown reason'}).`)
  }
}
