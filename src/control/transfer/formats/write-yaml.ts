import { stringify } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { type Exported, type ExportedResource, inOrder, type Written } from './exported.ts'

/** A configuration file of Ponto. A secret that is stored becomes the name of a variable that it has to be in. */
export function writeYaml(resource: ExportedResource): Written {
  const notes: string[] = []
  const taken = new Set(listVariables([...resource.filterEngines, ...resource.deployments] as Json[]))
  const withVariables = (kind: string) => (one: Exported) => nameVariables(one, `${kind} ${one.name}`, taken, notes)
  const sections: Readonly<Record<string, readonly object[]>> = {
    // What a pool is for is its name.
    quota: resource.quota.map(({ name, ...pool }) => pool),
    raiBlocklists: resource.raiBlocklists,
    raiTopics: resource.raiTopics,
    filterEngines: resource.filterEngines.map(withVariables('filter engine')),
    raiPolicies: inOrder(resource.raiPolicies, 'basePolicyName'),
    deploymentPolicies: resource.deploymentPolicies,
    deployments: resource.deployments.map(withVariables('deployment')),
  }
  const present = Object.entries(sections).filter(([name, list]) => list.length > 0 || name === 'deployments')
  return { text: stringify(Object.fromEntries(present), { lineWidth: 0, aliasDuplicateObjects: false }), notes }
}

/** Variables that are named already. */
function listVariables(value: Json): string[] {
  if (Array.isArray(value)) return value.flatMap(listVariables)
  if (!isJsonObject(value)) return []
  return Object.entries(value).flatMap(([field, inner]) =>
    field === 'env' && typeof inner === 'string' ? [inner] : listVariables(inner),
  )
}

function nameVariables(one: Exported, place: string, taken: Set<string>, notes: string[]): Exported {
  const base = `PONTO_SECRET_${one.name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}`
  const replace = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(replace)
    if (!isJsonObject(value)) return value
    if (value.stored === true && Object.keys(value).length === 1) {
      let env = base
      for (let count = 2; taken.has(env); count++) env = `${base}_${count}`
      taken.add(env)
      notes.push(`${place}: its secret is not written out; set ${env} where the file is used`)
      return { env }
    }
    return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, replace(item)]))
  }
  return replace(one as JsonObject) as Exported
}
