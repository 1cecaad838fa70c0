import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import {
  type Exported,
  type ExportedResource,
  inOrder,
  isSame,
  noteOthers,
  ownFieldsOf,
  type Written,
} from './exported.ts'
import { noteOwn } from './write-bicep.ts'

/** Terraform for the provider azurerm, for an account that is there. What that cannot say is told. */
export function writeTerraform(resource: ExportedResource): Written {
  const notes = [...noteOthers(resource)]
  const { raiBlocklists, raiPolicies, deployments } = resource
  const own = new Map(deployments.map((one) => [one.name, ownFieldsOf(one)]))
  const blocks = [
    block('variable "cognitive_account_id"', [
      '  type        = string',
      '  description = "Id of the account that all of this is for"',
    ]),
    ...raiBlocklists.map((list) => writeBlocklist(list, notes)),
    ...inOrder(raiPolicies).map((policy) => writePolicy(policy, resource, notes)),
    ...deployments.map((deployment, index) => writeDeployment(deployment, deployments[index - 1], resource, notes)),
  ]
  return { text: `${blocks.join('\n\n')}\n`, notes: [...notes, ...noteOwn(own)] }
}

const account = '  cognitive_account_id = var.cognitive_account_id'

function writeBlocklist({ name, description, items }: Exported, notes: string[]): string {
  const count = Array.isArray(items) ? items.length : 0
  if (count > 0) notes.push(`${name}: its ${count} items are left out: azurerm has no resource for them`)
  return block(`resource "azurerm_cognitive_account_rai_blocklist" ${text(labelOf(name))}`, [
    `  name                 = ${text(name)}`,
    account,
    ...(description === undefined ? [] : [`  description          = ${text(String(description))}`]),
  ])
}

function writePolicy(policy: Exported, { raiPolicies }: ExportedResource, notes: string[]): string {
  const { name, mode, basePolicyName, contentFilters, ...others } = policy
  const lost = Object.entries(others).filter(([, value]) => !Array.isArray(value) || value.length > 0)
  if (lost.length > 0) notes.push(`${name}: ${lost.map(([field]) => field).join(', ')}: azurerm has no place for them`)
  const base = raiPolicies.find((one) => isSame(one.name, basePolicyName))
  const baseText = base
    ? `azurerm_cognitive_account_rai_policy.${labelOf(base.name)}.name`
    : text(String(basePolicyName ?? 'Microsoft.DefaultV2'))
  return block(`resource "azurerm_cognitive_account_rai_policy" ${text(labelOf(name))}`, [
    `  name                 = ${text(name)}`,
    account,
    `  base_policy_name     = ${baseText}`,
    ...(mode === undefined ? [] : [`  mode                 = ${text(String(mode))}`]),
    ...(Array.isArray(contentFilters) ? contentFilters : []).flatMap((filter) => writeFilter(filter)),
  ])
}

function writeFilter(filter: Json): string[] {
  if (!isJsonObject(filter)) return []
  const { name, enabled = true, blocking = true, severityThreshold, source } = filter
  return [
    '',
    '  content_filter {',
    `    name               = ${text(String(name))}`,
    `    filter_enabled     = ${enabled}`,
    `    block_enabled      = ${blocking}`,
    `    severity_threshold = ${text(String(severityThreshold ?? 'Medium'))}`,
    `    source             = ${text(String(source ?? 'Prompt'))}`,
    '  }',
  ]
}

function writeDeployment(
  deployment: Exported,
  before: Exported | undefined,
  { raiPolicies }: ExportedResource,
  notes: string[],
): string {
  const { name, model, sku, raiPolicyName, versionUpgradeOption, dynamicThrottlingEnabled, ...others } = deployment
  const { format, name: modelName, version } = model as JsonObject
  const policy = raiPolicies.find((one) => isSame(one.name, raiPolicyName))
  const lost = ['tags', 'spilloverDeploymentName', 'serviceTier', 'deploymentState'].filter(
    (field) => others[field] !== undefined,
  )
  if (lost.length > 0) notes.push(`${name}: ${lost.join(', ')}: azurerm has no place for them`)
  const { name: skuName, capacity } = (sku ?? { name: 'Standard', capacity: 1 }) as JsonObject
  return block(`resource "azurerm_cognitive_deployment" ${text(labelOf(name))}`, [
    `  name                 = ${text(name)}`,
    account,
    ...(raiPolicyName === undefined
      ? []
      : [
          `  rai_policy_name      = ${policy ? `azurerm_cognitive_account_rai_policy.${labelOf(policy.name)}.name` : text(String(raiPolicyName))}`,
        ]),
    ...(versionUpgradeOption === undefined ? [] : [`  version_upgrade_option = ${text(String(versionUpgradeOption))}`]),
    ...(dynamicThrottlingEnabled === undefined ? [] : [`  dynamic_throttling_enabled = ${dynamicThrottlingEnabled}`]),
    '',
    '  model {',
    `    format  = ${text(String(format))}`,
    `    name    = ${text(String(modelName))}`,
    `    version = ${text(String(version))}`,
    '  }',
    '',
    '  sku {',
    `    name     = ${text(String(skuName))}`,
    `    capacity = ${capacity}`,
    '  }',
    ...(before ? ['', `  depends_on = [azurerm_cognitive_deployment.${labelOf(before.name)}]`] : []),
  ])
}

function block(head: string, lines: readonly string[]): string {
  return [`${head} {`, ...lines, '}'].join('\n')
}

/** Names may have dots, and labels not; what differs in nothing else gets a label of its own from its signs. */
function labelOf(name: string): string {
  const label = name.replace(/[^\w-]/g, (sign) => `_${sign.charCodeAt(0).toString(16)}_`)
  return /^[A-Za-z_]/.test(label) ? label : `_${label}`
}

function text(value: string): string {
  return JSON.stringify(value)
    .replaceAll('${', '$${')
    .replaceAll('%{', '%%{')
    .replace(/\\u([0-9a-f]{4})|\\b|\\f/g, (sign, code) =>
      code ? `\\u${code}` : sign === '\\b' ? '\\u0008' : '\\u000c',
    )
}
