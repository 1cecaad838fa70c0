import { z } from 'zod'
import { isJsonObject, type Json, type JsonObject } from '../../core/json.ts'
import type { ExportView } from '../api.ts'
import type { Answer } from '../http/answer.ts'
import { readQuery } from '../http/read-query.ts'
import type { Forward } from '../http/route.ts'
import type { Exported, ExportedResource, Written } from './formats/exported.ts'
import { writeArm } from './formats/write-arm.ts'
import { writeBicep } from './formats/write-bicep.ts'
import { writeTerraform } from './formats/write-terraform.ts'
import { writeYaml } from './formats/write-yaml.ts'
import { withoutShown } from './shown-fields.ts'

export const exportFormats = ['yaml', 'arm', 'bicep', 'terraform'] as const
export type ExportFormat = (typeof exportFormats)[number]

const writers: Readonly<Record<ExportFormat, (resource: ExportedResource) => Written>> = {
  yaml: writeYaml,
  arm: writeArm,
  bicep: writeBicep,
  terraform: writeTerraform,
}

const querySchema = z.strictObject({ format: z.enum(exportFormats).default('yaml') })

/** Everything that makes the deployments what they are, in a format of choice. Never a secret. `forward` asks our own API for the caller. */
export async function exportResource(request: Request, resourceName: string, forward: Forward): Promise<Answer> {
  const { format } = readQuery(querySchema, new URL(request.url))

  async function read(path: string): Promise<readonly Exported[]> {
    const { body } = await forward('GET', `/${path}`)
    // What comes with Ponto is everywhere.
    return (body as { value: readonly JsonObject[] }).value
      .filter(({ source }) => !isJsonObject(source) || source.kind !== 'system')
      .map((view) => withoutShown(path, view) as Exported)
  }

  async function show(path: string, name: string): Promise<Exported> {
    const { body } = await forward('GET', `/${path}/${encodeURIComponent(name)}`)
    return withoutShown(path, body as JsonObject) as Exported
  }

  const raiBlocklists: Exported[] = []
  for (const list of await read('rai-blocklists'))
    raiBlocklists.push({ ...list, items: await readItems(list.name, forward) })
  const raiPolicies: Exported[] = []
  // Only one alone is shown with its texts.
  for (const { name } of await read('rai-policies')) raiPolicies.push(await show('rai-policies', name))
  const resource: ExportedResource = {
    name: resourceName,
    deployments: await read('deployments'),
    raiPolicies,
    raiBlocklists,
    raiTopics: await read('rai-topics'),
    filterEngines: await read('filter-engines'),
    deploymentPolicies: await readIfAllowed(() => read('deployment-policies')),
    quota: await readIfAllowed(() => read('quota')),
  }
  const body: ExportView = { format, ...writers[format](resource) }
  return { status: 200, body }
}

/** They are the server's and not the resource's: who may not see them exports without. */
async function readIfAllowed(read: () => Promise<readonly Exported[]>): Promise<readonly Exported[]> {
  try {
    return await read()
  } catch {
    return []
  }
}

/** All items of a blocklist. */
export async function readItems(list: string, forward: Forward): Promise<Json[]> {
  const items: Json[] = []
  const path = `/rai-blocklists/${encodeURIComponent(list)}/items`
  for (let query: string | undefined = 'top=1000'; query !== undefined; ) {
    const { body } = await forward('GET', `${path}?${query}`)
    const page = body as { value: Json[]; nextLink?: string }
    items.push(...page.value)
    query = page.nextLink?.split('?')[1]
  }
  return items
}
