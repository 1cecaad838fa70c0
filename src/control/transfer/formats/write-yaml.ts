import { stringify } from 'yaml'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { type Exported, type ExportedResource, inOrder, type Written } from './exported.ts'

/** A configuration file of Ponto. A secret that is stored becomes the name of a variable that it has to be in. */
export function writeYaml(resource: ExportedResource): Written {
  const notes: string[] = []
  const withVariables = (kind: string) => (one: Exported) => nameVariables(one, `${kind} ${one.name}`, one.name, notes)
  const sections: Readonly<Record<string, readonly Exported[]>> = {
    raiBlocklists: resource.raiBlocklists,
    raiTopics: resource.raiTopics,
    filterEngines: resource.filterEngines.map(withVariables('filter engine')),
    raiPolicies: inOrder(resource.raiPolicies),
    deploymentPolicies: resource.deploymentPolicies,
    deployments: resource.deployments.map(withVariables('deployment')),
  }
  const present = Object.entries(sections).filter(([name, list]) => list.length > 0 || name === 'deployments')
  return { text: stringify(Object.fromEntries(present), { lineWidth: 0, aliasDuplicateObjects: false }), notes }
}

function nameVariables(one: Exported, place: string, name: string, notes: string[]): Exported {
  let count = 0
  const replace = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(replace)
    if (!isJsonObject(value)) return value
    if (value.stored === true && Object.keys(value).length === 1) {
      count++
      const env = `PONTO_SECRET_${name.toUpperCase().replace(/[^A-Z0-9]/g, '_')}${count > 1 ? `_${count}` : ''}`
      notes.push(`${place}: its secret is not written out; set ${env} where the file is used`)
      return { env }
    }
    return Object.fromEntries(Object.entries(value).map(([field, item]) => [field, replace(item)]))
  }
  return replace(one as JsonObject) as Exported
}
