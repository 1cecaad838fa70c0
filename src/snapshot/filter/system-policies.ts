import { type ContentFilter, emptyPolicyName, type PolicySpec, type SystemPolicyName } from './policy-spec.ts'

/**
 * The policies that come with Ponto, after those of the service. The four harms are blocked from medium on, on both sides; so are attacks
 * in prompts and protected texts in answers, and protected code is annotated.
 */

const harms: readonly ContentFilter[] = (['Hate', 'Sexual', 'Violence', 'Selfharm'] as const).flatMap((name) =>
  (['Prompt', 'Completion'] as const).map(
    (source): ContentFilter => ({ name, source, enabled: true, blocking: true, severityThreshold: 'Medium' }),
  ),
)

const defaults: readonly ContentFilter[] = [
  ...harms,
  { name: 'Jailbreak', source: 'Prompt', enabled: true, blocking: true },
  { name: 'Protected Material Text', source: 'Completion', enabled: true, blocking: true },
  { name: 'Protected Material Code', source: 'Completion', enabled: true, blocking: false },
]

function definePolicy(
  name: SystemPolicyName,
  contentFilters: readonly ContentFilter[],
  more: Partial<PolicySpec> = {},
): PolicySpec {
  return {
    name,
    basePolicyName: emptyPolicyName,
    mode: 'Default',
    contentFilters,
    customBlocklists: [],
    customTopics: [],
    scope: { messages: 'last-user', toolResults: false, exemptSystem: true },
    promptCheck: 'concurrent',
    spotlighting: false,
    strictAzureChunks: false,
    selectable: true,
    protectedTexts: [],
    protectedCode: [],
    ...more,
  }
}

export const systemPolicies: Readonly<Record<SystemPolicyName, PolicySpec>> = {
  'Microsoft.DefaultV2': definePolicy('Microsoft.DefaultV2', defaults),
  'Microsoft.Default': definePolicy('Microsoft.Default', defaults),
  // A call must not be able to switch its filters off.
  'Microsoft.Nil': definePolicy('Microsoft.Nil', [], { selectable: false }),
}

export function isSystemPolicy(name: string): boolean {
  return Object.keys(systemPolicies).some((known) => known.toLowerCase() === name.toLowerCase())
}
