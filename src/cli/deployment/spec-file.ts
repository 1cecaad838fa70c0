import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import type { CommandContext } from '../context.ts'
import { readDocumentFile, requireName } from '../terminal/read-file.ts'

/** The deployment that a YAML or JSON file describes, `-` being standard input. Throws Fault `invalid-request`, naming the file. */
export async function readSpecFile(
  context: CommandContext,
  file: string,
  name: string | undefined,
): Promise<DeploymentInput> {
  const spec = await readDocumentFile(context, file, 'deployment: name, model, backends')
  // Everything else is the server's to judge: it knows the rules and names the field.
  return { ...(spec as unknown as DeploymentInput), name: requireName(spec, file, name, 'deployment') }
}
