import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import {
  armProvider,
  type Exported,
  type ExportedResource,
  exportApiVersion,
  inOrder,
  isSame,
  listOtherSections,
  splitDeployment,
  splitPolicy,
  type Written,
} from './exported.ts'

/**
 * A template of Azure Resource Manager, for an account that is there. What only Ponto has stands in its metadata, which Azure carries and
 * `ponto import` takes over again.
 */
export function writeArm(resource: ExportedResource): Written {
  const children = listResources(resource)
  const template = {
    $schema: 'https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#',
    contentVersion: '1.0.0.0',
    metadata: {
      ponto: {
        deployments: ownOf(children, 'deployments'),
        raiPolicies: ownOf(children, 'raiPolicies'),
        others: listOtherSections(resource),
      },
    },
    parameters: { accountName: { type: 'string', defaultValue: resource.name } },
    resources: children.map(({ type, name, body, after }) => ({
      type: `${armProvider}/accounts/${type}`,
      apiVersion: exportApiVersion,
      name: `[concat(parameters('accountName'), '/${quote(name)}')]`,
      ...(after.length > 0 && {
        dependsOn: after.map(
          (one) =>
            `[resourceId('${armProvider}/accounts/${one.type}', parameters('accountName'), ${splitName(one.name)})]`,
        ),
      }),
      ...escapeTexts(body),
    })),
  }
  const notes: string[] = []
  const count = template.resources.length
  if (count > mostResources)
    notes.push(`there are ${count} resources, and Azure takes ${mostResources} in a template: divide them`)
  return { text: `${JSON.stringify(template, null, 2)}\n`, notes }
}

function ownOf(children: readonly ArmChild[], type: ArmChild['type']): JsonObject {
  const some = children.filter((child) => child.type === type && !isEmpty(child.own))
  return Object.fromEntries(some.map(({ name, own }) => [name, own]))
}

/** Of one template. */
const mostResources = 800

/** A resource below an account. `name` of an item is `list/item`. */
export type ArmChild = {
  readonly type: 'raiBlocklists' | 'raiBlocklists/raiBlocklistItems' | 'raiPolicies' | 'deployments'
  readonly name: string
  readonly body: JsonObject
  /** What only Ponto has of it. */
  readonly own: JsonObject
  readonly after: readonly Pick<ArmChild, 'type' | 'name'>[]
}

/** All of them, each after what it names. Azure takes one change of deployments at a time, so each waits for the one before. */
export function listResources({ raiBlocklists, raiPolicies, deployments }: ExportedResource): readonly ArmChild[] {
  const lists = raiBlocklists.flatMap((list) => listOfBlocklist(list))
  const policies = inOrder(raiPolicies, 'basePolicyName').map((policy): ArmChild => {
    const named = lists.filter(
      (one) => one.type === 'raiBlocklists' && namesOf(policy.customBlocklists).some((list) => isSame(one.name, list)),
    )
    return { type: 'raiPolicies', name: policy.name, ...splitPolicy(policy), after: named }
  })
  let before: readonly ArmChild[] = []
  const children = inOrder(deployments, 'spilloverDeploymentName').map((deployment): ArmChild => {
    const policy = policies.filter(({ name }) => isSame(name, deployment.raiPolicyName))
    const child: ArmChild = {
      type: 'deployments',
      name: deployment.name,
      ...splitDeployment(deployment),
      after: [...policy, ...before],
    }
    before = [child]
    return child
  })
  return [...lists, ...policies, ...children]
}

function listOfBlocklist({ name, description, tags, items }: Exported): readonly ArmChild[] {
  const list: ArmChild = {
    type: 'raiBlocklists',
    name,
    body: {
      ...(tags !== undefined && { tags }),
      properties: description === undefined ? {} : { description },
    },
    own: {},
    after: [],
  }
  const terms = (Array.isArray(items) ? (items as JsonObject[]) : []).map(
    ({ name: item, ...properties }): ArmChild => ({
      type: 'raiBlocklists/raiBlocklistItems',
      name: `${name}/${item}`,
      body: { properties },
      own: {},
      after: [list],
    }),
  )
  return [list, ...terms]
}

function namesOf(lists: Json | undefined): readonly unknown[] {
  return Array.isArray(lists) ? lists.map((list) => (isJsonObject(list) ? list.blocklistName : undefined)) : []
}

/** A text that begins with a bracket is an expression, unless that is doubled. */
function escapeTexts<T extends Json>(value: T): T {
  if (typeof value === 'string') return (value.startsWith('[') ? `[${value}` : value) as T
  if (Array.isArray(value)) return value.map(escapeTexts) as T
  if (!isJsonObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, escapeTexts(item)])) as T
}

function quote(text: string): string {
  return text.replaceAll("'", "''")
}

function splitName(name: string): string {
  return name
    .split('/')
    .map((part) => `'${quote(part)}'`)
    .join(', ')
}

export function isEmpty(fields: object): boolean {
  return Object.keys(fields).length === 0
}
