/**
 * What each role may do, in Azure's names and under Azure's identifiers. `*` stands for anything, also for several segments; what the `not`
 * lists name is taken away again. Actions are those of management, data actions those of the data plane: who owns a server may not ask its
 * models by that alone.
 *
 * Where sources differ: the actions that a role's definition lists win over tables that describe it (so OpenAI Contributor writes content
 * filter policies), and Cognitive Services User does not read keys, which would outlive the role and do more than it.
 */
export type RoleDefinition = {
  readonly id: string
  readonly description: string
  readonly actions: readonly string[]
  readonly notActions: readonly string[]
  readonly dataActions: readonly string[]
  readonly notDataActions: readonly string[]
}

export const provider = 'Microsoft.CognitiveServices/'
const accounts = `${provider}accounts/`
const openai = `${accounts}OpenAI/`
const subscriptions = [
  'Microsoft.Resources/subscriptions/read',
  'Microsoft.Resources/subscriptions/resourceGroups/read',
]
const none: readonly string[] = []

export const roleTable = {
  Owner: {
    id: '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    description: 'Manages everything, also who may do what.',
    actions: ['*'],
    notActions: none,
    dataActions: none,
    notDataActions: none,
  },
  Contributor: {
    id: 'b24988ac-6180-42a0-ab88-20f7382dd24c',
    description: 'Manages everything but who may do what.',
    actions: ['*'],
    notActions: [
      'Microsoft.Authorization/*/write',
      'Microsoft.Authorization/*/delete',
      'Microsoft.Authorization/*/action',
    ],
    dataActions: none,
    notDataActions: none,
  },
  Reader: {
    id: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
    description: 'Reads everything but keys, and changes nothing.',
    actions: ['*/read'],
    notActions: none,
    dataActions: none,
    notDataActions: none,
  },
  'Cognitive Services Contributor': {
    id: '25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68',
    description: 'Manages resources, keys, deployments and content filters, but not quota.',
    actions: [`${provider}*`, 'Microsoft.Authorization/*/read', ...subscriptions],
    notActions: [`${provider}quotas/write`, `${provider}quotas/delete`, `${provider}quotaTiers/write`],
    dataActions: none,
    notDataActions: none,
  },
  'Cognitive Services User': {
    id: 'a97b65f3-24c7-4388-baec-2e87135dc908',
    description: 'Asks all models and uses everything else of the data plane.',
    actions: [`${provider}*/read`, ...subscriptions],
    notActions: none,
    dataActions: [`${provider}*`],
    notDataActions: none,
  },
  'Cognitive Services OpenAI Contributor': {
    id: 'a001fd3d-188f-4b5d-821b-7da978bf7442',
    description:
      'Uses everything of the data plane that is of OpenAI, and manages deployments and content filter policies.',
    actions: [
      `${provider}*/read`,
      `${accounts}deployments/write`,
      `${accounts}deployments/delete`,
      `${accounts}raiPolicies/write`,
      `${accounts}raiPolicies/delete`,
    ],
    notActions: none,
    dataActions: [`${openai}*`],
    notDataActions: none,
  },
  'Cognitive Services OpenAI User': {
    id: '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd',
    description: 'Asks models of OpenAI.',
    actions: [`${provider}*/read`],
    notActions: none,
    dataActions: [
      `${openai}*/read`,
      `${openai}deployments/chat/completions/action`,
      `${openai}deployments/completions/action`,
      `${openai}deployments/embeddings/action`,
      `${openai}deployments/audio/action`,
      `${openai}deployments/realtime/action`,
      `${openai}deployments/search/action`,
      `${openai}deployments/extensions/chat/completions/action`,
      `${openai}images/generations/action`,
      `${openai}assistants/*`,
    ],
    notDataActions: [`${openai}stored-completions/read`],
  },
} as const satisfies Record<string, RoleDefinition>

export type RoleName = keyof typeof roleTable

export const roleNames = Object.keys(roleTable) as RoleName[]

/** The role of that name, in any case, or of that identifier; undefined when there is none. */
export function findRole(text: string): RoleName | undefined {
  const wanted = text.toLowerCase()
  return roleNames.find((name) => name.toLowerCase() === wanted || roleTable[name].id === wanted)
}
