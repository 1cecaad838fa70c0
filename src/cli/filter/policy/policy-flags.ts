import { type Command, InvalidArgumentError, Option } from 'commander'
import { filterCategories } from '../../../core/filter/categories.ts'
import type { PolicyInput } from '../../../snapshot/filter/policy-spec.ts'
import {
  type FilterInput,
  filterForm,
  type ListInput,
  listForm,
  parseFilter,
  parseList,
  parsePii,
  parsePlace,
  piiForm,
} from './filter-form.ts'
import type { PolicyChange } from './policy-document.ts'

const bases = ['Microsoft.DefaultV2', 'Microsoft.Default', 'Microsoft.Nil'] as const satisfies readonly NonNullable<
  PolicyInput['basePolicyName']
>[]
const modes = ['Default', 'Blocking', 'Asynchronous_filter'] as const satisfies readonly NonNullable<
  PolicyInput['mode']
>[]
const switches = ['yes', 'no'] as const

export type PolicyFlags = { isUsed(): boolean; read(command: Command): PolicyChange }

/** A `--filter` or `--pii`, which may mean two sides, and what the flags after it say of it. */
type Draft = { filters: FilterInput[]; engines?: string[] } & Partial<Pick<FilterInput, 'combine' | 'onError'>>

/**
 * Adds the flags that describe a policy; with `removes`, also those that take something away. Flags about engines belong to the `--filter`
 * before them, those before the first one to all, which is why they are gathered while they are parsed.
 */
export function addPolicyFlags(command: Command, { removes }: { readonly removes: boolean }): PolicyFlags {
  const fields: Record<string, unknown> = {}
  const scope: Record<string, unknown> = {}
  const common: Draft = { filters: [] }
  const drafts: Draft[] = []
  const lists = { blocklists: [] as ListInput[], topics: [] as ListInput[] }
  const removed = {
    filters: [] as ReturnType<typeof parsePlace>,
    blocklists: [] as ListInput[],
    topics: [] as ListInput[],
  }
  let restoresRedacted: boolean | undefined
  let isUsed = false
  const current = () => drafts.at(-1) ?? common
  const add = (flags: string, text: string, apply: (value: string) => void, choices?: readonly string[]) => {
    const option = new Option(flags, choices ? `${text} (choices: ${quoteAll(choices)})` : text)
    command.addOption(
      option.argParser((value: string) => {
        if (choices && !choices.includes(value)) {
          throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`)
        }
        isUsed = true
        apply(value)
        return value
      }),
    )
  }
  const addSwitch = (flags: string, text: string, apply: (value: boolean) => void) =>
    add(`${flags} <switch>`, text, (value) => apply(value === 'yes'), switches)
  const set = (field: keyof PolicyInput) => (value: unknown) => {
    fields[field] = value
  }

  add('--description <text>', 'what it is for', set('description'))
  add(
    '--base <policy>',
    'where filters that are not named come from; Microsoft.Nil has none',
    set('basePolicyName'),
    bases,
  )
  add('--mode <mode>', 'whether answers wait for their filters', set('mode'), modes)
  add('--filter <filter>', `${filterForm}; repeat it for several`, (text) =>
    drafts.push({ filters: parseFilter(text) }),
  )
  add('--engine <name>', 'what judges it: builtin, or one of "filter engine list"; repeat it for several', (name) => {
    const draft = current()
    draft.engines = [...(draft.engines ?? []), name]
  })
  add(
    '--combine <how>',
    'where engines differ: the worst counts, the first that answers, or what most say',
    (how) => {
      current().combine = how as NonNullable<FilterInput['combine']>
    },
    ['max', 'first', 'vote'],
  )
  add(
    '--on-error <how>',
    'when no engine can judge: let it through, annotated, or refuse it',
    (how) => {
      current().onError = how as NonNullable<FilterInput['onError']>
    },
    ['open', 'closed'],
  )
  add('--pii <type>', `personal data: ${piiForm}, to block, annotate or redact; repeat it for several`, (text) =>
    drafts.push({ filters: parsePii(text) }),
  )
  addSwitch('--restore-redacted', 'put back in answers what was redacted in the prompt', (value) => {
    restoresRedacted = value
  })
  add('--blocklist <list>', `${listForm}; repeat it for several`, (text) => lists.blocklists.push(...parseList(text)))
  add('--topic <topic>', `${listForm}; repeat it for several`, (text) => lists.topics.push(...parseList(text)))
  add(
    '--messages <which>',
    'which messages of a prompt are judged',
    (which) => {
      scope.messages = which
    },
    ['last-user', 'all'],
  )
  addSwitch('--tool-results', 'judge the results of tools too', (value) => {
    scope.toolResults = value
  })
  addSwitch('--exempt-system', 'with all messages: leave those of the application out', (value) => {
    scope.exemptSystem = value
  })
  add('--prompt-check <when>', 'whether the model works while engines judge the prompt', set('promptCheck'), [
    'concurrent',
    'first',
  ])
  addSwitch('--spotlighting', 'encode documents before the model sees them', set('spotlighting'))
  addSwitch(
    '--strict-azure-chunks',
    'asynchronous annotations without a delta, as Azure has them',
    set('strictAzureChunks'),
  )
  addSwitch('--selectable', 'whether calls may choose it with x-policy-id', set('selectable'))
  if (removes) {
    add('--remove-filter <filter>', 'NAME[:SIDE]: as in the base policy again', (text) =>
      removed.filters.push(...parsePlace(text)),
    )
    add('--remove-blocklist <list>', 'NAME[:SIDE]: no longer in the policy', (text) =>
      removed.blocklists.push(...parseList(text)),
    )
    add('--remove-topic <topic>', 'NAME[:SIDE]: no longer in the policy', (text) =>
      removed.topics.push(...parseList(text)),
    )
  }
  return {
    isUsed: () => isUsed,
    read(parsed) {
      const { filters: _filters, ...about } = common
      if (drafts.length === 0 && Object.keys(about).length > 0) {
        parsed.error('error: --engine, --combine and --on-error are about a filter: --filter is missing')
      }
      const filters = joinDrafts(drafts, about)
      return {
        fields: { ...fields, ...(Object.keys(scope).length > 0 ? { scope } : {}) },
        filters: restoresRedacted === undefined ? filters : setRestoring(parsed, filters, restoresRedacted),
        blocklists: lists.blocklists.map(({ name, ...list }) => ({ blocklistName: name, ...list })),
        topics: lists.topics.map(({ name, ...topic }) => ({ topicName: name, ...topic })),
        removed,
      }
    },
  }
}

/** One filter for each place: types of personal data come together. */
function joinDrafts(drafts: readonly Draft[], common: Omit<Draft, 'filters'>): FilterInput[] {
  const joined = new Map<string, FilterInput>()
  for (const { filters, ...own } of drafts) {
    for (const filter of filters) {
      const key = `${filter.name}/${filter.source}`
      const before = joined.get(key)
      const piiTypes = [...(before?.piiTypes ?? []), ...(filter.piiTypes ?? [])]
      joined.set(key, { ...common, ...before, ...filter, ...own, ...(piiTypes.length > 0 ? { piiTypes } : {}) })
    }
  }
  return [...joined.values()]
}

/** It is the prompt's filter of personal data that knows what was redacted. */
function setRestoring(command: Command, filters: readonly FilterInput[], restoresRedacted: boolean): FilterInput[] {
  const { title } = filterCategories.personally_identifiable_information
  const isMeant = ({ name, source }: FilterInput) => name === title && source === 'Prompt'
  if (!filters.some(isMeant))
    command.error('error: --restore-redacted is about personal data in prompts: --pii is missing')
  return filters.map((filter) => (isMeant(filter) ? { ...filter, restoresRedacted } : filter))
}

function quoteAll(choices: readonly string[]): string {
  return choices.map((choice) => `"${choice}"`).join(', ')
}
