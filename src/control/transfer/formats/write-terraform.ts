import { filterCategories } from '../../../core/filter/categories.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import { categoryOfTitle } from '../../../snapshot/filter/policy-spec.ts'
import {
  type Exported,
  type ExportedResource,
  inOrder,
  isSame,
  noteOthers,
  noteOwn,
  splitDeployment,
  splitPolicy,
  type Written,
} from './exported.ts'

/** Terraform for the provider azurerm, for an account that is there. What that cannot say is told. */
export function writeTerraform(resource: ExportedResource): Written {
  const notes = noteOthers(resource)
  const { raiBlocklists, raiPolicies, deployments } = resource
  const ordered = inOrder(deployments, 'spilloverDeploymentName')
  const blocks = [
    block('variable "cognitive_account_id"', [
      ...align([
        ['type', 'string'],
        ['description', text('Id of the account that all of this is for')],
      ]),
    ]),
    ...raiBlocklists.map((list) => writeBlocklist(list, notes)),
    ...inOrder(raiPolicies, 'basePolicyName').map((policy) => writePolicy(policy, notes)),
    ...ordered.map((deployment, index) => writeDeployment(deployment, ordered[index - 1], raiPolicies, notes)),
  ]
  return { text: `${blocks.join('\n\n')}\n`, notes }
}

type Fields = readonly (readonly [name: string, value: string])[]

function identify(name: string): Fields {
  return [
    ['name', text(name)],
    ['cognitive_account_id', 'var.cognitive_account_id'],
  ]
}

function writeBlocklist({ name, description, tags, items }: Exported, notes: string[]): string {
  const count = Array.isArray(items) ? items.length : 0
  if (count > 0) notes.push(`${name}: its ${count} items are left out: azurerm has no resource for them`)
  tellLost(name, { tags }, notes)
  return block(`resource "azurerm_cognitive_account_rai_blocklist" ${text(labelOf(name))}`, [
    ...align([...identify(name), ...optional('description', description)]),
  ])
}

function writePolicy(policy: Exported, notes: string[]): string {
  const { name } = policy
  const { body, own } = splitPolicy(policy)
  const { mode, basePolicyName, contentFilters, ...others } = body.properties as JsonObject
  const filters = Array.isArray(contentFilters) ? contentFilters.filter(isJsonObject) : []
  notes.push(...noteOwn(name, own))
  tellLost(name, others, notes)
  if (filters.length === 0) notes.push(`${name}: it has no content filters of its own, and azurerm wants at least one`)
  return block(`resource "azurerm_cognitive_account_rai_policy" ${text(labelOf(name))}`, [
    ...align([
      ...identify(name),
      ['base_policy_name', text(String(basePolicyName ?? 'Microsoft.DefaultV2'))],
      ...optional('mode', mode),
    ]),
    ...(isJsonObject(body.tags) ? ['  tags = {', ...writeTags(body.tags), '  }'] : []),
    ...filters.flatMap(writeFilter),
  ])
}

function writeTags(tags: JsonObject): readonly string[] {
  return align(
    Object.entries(tags).map(([tag, value]) => [text(tag), text(String(value))]),
    '    ',
  )
}

function writeFilter({ name, enabled = true, blocking = true, severityThreshold, source }: JsonObject): string[] {
  const category = categoryOfTitle(String(name))
  // azurerm refuses a level for those that have none.
  const hasLevels = category !== undefined && filterCategories[category].kind === 'severity'
  return [
    '',
    '  content_filter {',
    ...align(
      [
        ['name', text(String(name))],
        ['filter_enabled', String(enabled)],
        ['block_enabled', String(blocking)],
        ...optional('severity_threshold', hasLevels ? severityThreshold : undefined),
        ['source', text(String(source ?? 'Prompt'))],
      ],
      '    ',
    ),
    '  }',
  ]
}

function writeDeployment(
  deployment: Exported,
  before: Exported | undefined,
  policies: readonly Exported[],
  notes: string[],
): string {
  const { name } = deployment
  const { body, own } = splitDeployment(deployment)
  const { model, raiPolicyName, versionUpgradeOption, dynamicThrottlingEnabled, ...others } =
    body.properties as JsonObject
  const policy = policies.find((one) => isSame(one.name, raiPolicyName))
  const { name: skuName, capacity } = (body.sku ?? { name: 'Standard', capacity: 1 }) as JsonObject
  tellLost(name, { tags: body.tags, ...others }, notes)
  if (skuName === 'DeveloperTier') notes.push(`${name}: azurerm does not know the SKU DeveloperTier`)
  notes.push(...noteOwn(name, own))
  return block(`resource "azurerm_cognitive_deployment" ${text(labelOf(name))}`, [
    ...align([
      ...identify(name),
      ...(policy
        ? [['rai_policy_name', `azurerm_cognitive_account_rai_policy.${labelOf(policy.name)}.name`] as const]
        : optional('rai_policy_name', raiPolicyName)),
      ...optional('version_upgrade_option', versionUpgradeOption),
      ...optional('dynamic_throttling_enabled', dynamicThrottlingEnabled),
    ]),
    '',
    '  model {',
    ...align(
      Object.entries(model as JsonObject).flatMap(([field, value]) => optional(field, value)),
      '    ',
    ),
    '  }',
    '',
    '  sku {',
    ...align(
      [
        ['name', text(String(skuName))],
        ['capacity', String(capacity)],
      ],
      '    ',
    ),
    '  }',
    ...(before ? ['', `  depends_on = [azurerm_cognitive_deployment.${labelOf(before.name)}]`] : []),
  ])
}

function tellLost(name: string, fields: Readonly<Record<string, Json | undefined>>, notes: string[]): void {
  const lost = Object.entries(fields).filter(([, value]) => value !== undefined && !isEmptyList(value))
  if (lost.length > 0) notes.push(`${name}: ${lost.map(([field]) => field).join(', ')}: azurerm has no place for them`)
}

function isEmptyList(value: Json | undefined): boolean {
  return Array.isArray(value) && value.length === 0
}

function optional(name: string, value: Json | undefined): Fields {
  if (value === undefined || value === null) return []
  return [[name, typeof value === 'string' ? text(value) : String(value)]]
}

/** Equal signs below one another, as the formatter of Terraform has them. */
function align(fields: Fields, indent = '  '): readonly string[] {
  const width = Math.max(0, ...fields.map(([name]) => name.length))
  return fields.map(([name, value]) => `${indent}${name.padEnd(width)} = ${value}`)
}

function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines, '}'].join('\n')
}

/** Names may have dots, and labels not; what differs in nothing else gets a label of its own from its signs. */
function labelOf(name: string): string {
  const label = name.replace(/[^A-Za-z0-9-]/g, (sign) => (sign === '_' ? '__' : `_${sign.charCodeAt(0).toString(16)}_`))
  return /^[A-Za-z_]/.test(label) ? label : `_${label}`
}

function text(value: string): string {
  return JSON.stringify(value)
    .replace(/[$%]\{/g, (sign) => sign[0] + sign)
    .replace(/\\u([0-9a-f]{4})|\\b|\\f/g, (sign, code) =>
      code ? `\\u${code}` : sign === '\\b' ? '\\u0008' : '\\u000c',
    )
}
