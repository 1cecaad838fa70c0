/**
 * Content filters of the server that the clients are run against. Its upstream repeats what it is asked, so that a word in a prompt
 * comes back in the answer: a list for prompts alone and another for answers alone tell the two sides apart.
 */

/** Kept back, or annotated, where somebody asks with it. */
export const askedTerm = 'quibblefish'
/** Where an answer says it. */
export const saidTerm = 'zanzibarium'
/** What the builtin engine finds without any list. */
export const threat = 'We will kill you and your whole family.'

const lists = { 'asked-terms': [askedTerm], 'said-terms': [saidTerm] }

const useLists = (blocking: boolean) => [
  { blocklistName: 'asked-terms', source: 'Prompt', blocking },
  { blocklistName: 'said-terms', source: 'Completion', blocking },
]

const harms = ['Hate', 'Sexual', 'Violence', 'Selfharm']
const annotateHarms = (...sources: readonly string[]) =>
  harms.flatMap((name) => sources.map((source) => ({ name, source, blocking: false })))

const policies = [
  { name: 'blocking', customBlocklists: useLists(true) },
  {
    name: 'annotating',
    contentFilters: annotateHarms('Prompt', 'Completion'),
    customBlocklists: useLists(false),
  },
  // So that the builtin engine has answers to keep back.
  { name: 'answers-only', contentFilters: annotateHarms('Prompt') },
  { name: 'asynchronous', mode: 'Asynchronous_filter', customBlocklists: useLists(true) },
  { name: 'strict', mode: 'Asynchronous_filter', strictAzureChunks: true, customBlocklists: useLists(true) },
  { name: 'locked', customBlocklists: useLists(true), selectable: false },
]

/** Deployments, and the policy of each. Those of the other checks have the default one. */
const deployments = {
  'Filter-Blocking': 'blocking',
  // Gives two answers.
  'Filter-Two': 'blocking',
  'Filter-Annotating': 'annotating',
  'Filter-Answers': 'answers-only',
  'Filter-Asynchronous': 'asynchronous',
  'Filter-Strict': 'strict',
  'Filter-Off': 'Microsoft.Nil',
}

/** The sections of the configuration file, but for the deployments. */
export function writeFilterSections(): string {
  const blocklists = Object.entries(lists).map(([name, terms]) => ({ name, terms }))
  return `raiBlocklists: ${JSON.stringify(blocklists)}\nraiPolicies: ${JSON.stringify(policies)}\n`
}

/** Items of its list of deployments. */
export function writeFiltered(upstreamUrl: string): string {
  const specs = Object.entries(deployments).map(([name, raiPolicyName]) => ({
    name,
    model: { name: 'gpt-4o' },
    raiPolicyName,
    backends: [{ url: `${upstreamUrl}/v1`, model: name === 'Filter-Two' ? 'two' : 'plain' }],
  }))
  return specs.map((spec) => `  - ${JSON.stringify(spec)}\n`).join('')
}
