/** Content filter policies that deployments of the fuzz target are under, and what is planted for them to find. */

export const policyKinds = ['relay', 'default', 'strict', 'async'] as const
export type PolicyKind = (typeof policyKinds)[number]

/** Behind the name of a deployment. The relay's has none: what nobody filters is passed on as it came. */
export const suffixOf: Readonly<Record<PolicyKind, string>> = {
  relay: '',
  default: '-default',
  strict: '-strict',
  async: '-async',
}

export const policyNameOf: Readonly<Record<PolicyKind, string>> = {
  relay: 'Microsoft.Nil',
  default: 'Microsoft.DefaultV2',
  strict: 'strict',
  async: 'async',
}

/** May be chosen with a header only. Asynchronous annotations come without a `delta`. */
export const azureAsyncPolicy = 'async-azure'

/** What a strict deployment keeps back wherever it stands, as long as `isPlainBorder` holds on both sides of it. */
export const plantedTerms = ['zarquonberry', 'quixotic walnut parade', 'QZX-48151', 'yakronnic'] as const

/** Made unreadable in answers of a strict deployment. */
export const answeredEmail = 'carol.answered@example.com'
/** Made unreadable in its prompts before a model sees them, and put back into its answers. */
export const promptedEmail = 'bob.prompted@example.org'

const bothSides = (name: string) => [
  { blocklistName: name, source: 'Prompt' },
  { blocklistName: name, source: 'Completion' },
]
const redact = { enabled: true, piiTypes: [{ type: 'Email', action: 'redact' }, { type: 'PhoneNumber' }] }

/** The sections of the configuration file that the policies come from. */
export const filterSections = {
  raiBlocklists: [
    {
      name: 'planted',
      items: [
        { name: 'word', pattern: 'zarquonberry' },
        { name: 'phrase', pattern: 'quixotic walnut parade' },
        { name: 'order', pattern: 'QZX-\\d{5,8}', isRegex: true },
        { name: 'spelled', pattern: '(ya|zeb)(k|rk?)+ron{1,3}ic', isRegex: true },
      ],
    },
  ],
  raiPolicies: [
    {
      name: 'strict',
      contentFilters: [
        { name: 'PII', source: 'Prompt', ...redact, restoresRedacted: true },
        { name: 'PII', source: 'Completion', ...redact },
        { name: 'Indirect Attack', source: 'Prompt', blocking: false },
        { name: 'Profanity', source: 'Completion', blocking: false },
      ],
      customBlocklists: bothSides('planted'),
      scope: { messages: 'all', toolResults: true, exemptSystem: false },
      spotlighting: true,
    },
    { name: 'async', mode: 'Asynchronous_filter', customBlocklists: bothSides('planted') },
    {
      name: azureAsyncPolicy,
      mode: 'Deferred',
      customBlocklists: bothSides('planted'),
      strictAzureChunks: true,
    },
  ],
}
