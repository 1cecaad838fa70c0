import { z } from 'zod'
import { type FilterCategory, type FilterSource, filterCategories } from '../../core/filter/categories.ts'

/** What an operator writes to make a content filter policy: one shape for the YAML file, the management route and the CLI. */

export const filterNamePattern = /^[A-Za-z0-9._~-]{1,64}$/
export const filterNameRule = '1 to 64 letters, digits, "-", "_", ".", "~"'
export const filterNameSchema = z.string().regex(filterNamePattern, filterNameRule)

/** The operator's own words about something. */
export const tagsSchema = z
  .record(z.string().min(1).max(512), z.string().max(256))
  .refine((tags) => Object.keys(tags).length <= 50, 'at most 50 tags')

export const systemPolicyNames = ['Microsoft.DefaultV2', 'Microsoft.Default', 'Microsoft.Nil'] as const
export type SystemPolicyName = (typeof systemPolicyNames)[number]

/** The policy of deployments that name none, unless the server was started with another. */
export const defaultPolicyName: SystemPolicyName = 'Microsoft.DefaultV2'
/** Filters nothing. */
export const emptyPolicyName: SystemPolicyName = 'Microsoft.Nil'

/** `Deferred` is the older name of `Asynchronous_filter`. */
export const policyModes = ['Default', 'Blocking', 'Asynchronous_filter', 'Deferred'] as const
export const filterSources = ['Prompt', 'Completion'] as const satisfies readonly FilterSource[]
export const severityThresholds = ['Low', 'Medium', 'High'] as const
/** Another way to write `blocking`; of the service's actions those that a gateway can take. */
export const filterActions = ['None', 'BLOCKING', 'ANNOTATING'] as const
export const combineRules = ['max', 'first', 'vote'] as const
export const errorRules = ['open', 'closed'] as const
export const piiActions = ['annotate', 'block', 'redact'] as const

/** What a policy sets under `contentFilters`. Blocklists have a field of their own. */
export const namedCategories = (Object.keys(filterCategories) as FilterCategory[]).filter(
  (category) => category !== 'custom_blocklists',
)
/** Not a filter of its own: the service's name for `spotlighting`. */
export const spotlightingTitle = 'Indirect Attack Spotlighting'

const titles = [...namedCategories.map((category): string => filterCategories[category].title), spotlightingTitle]
const titleByKey = new Map<string, string>([
  ...titles.map((title) => [keyOfTitle(title), title] as const),
  ...namedCategories.map((category) => [keyOfTitle(category), filterCategories[category].title] as const),
  ['pii', filterCategories.personally_identifiable_information.title],
])
const categoryByTitle = new Map<string, FilterCategory>(
  namedCategories.map((category) => [filterCategories[category].title, category]),
)

/** Letters alone count: `Protected Material Text`, `ProtectedMaterialText` and `protected_material_text` are one. */
function keyOfTitle(title: string): string {
  return title.toLowerCase().replace(/[ _-]/g, '')
}

/** The category that a filter's title stands for; undefined for the title of spotlighting. */
export function categoryOfTitle(title: string): FilterCategory | undefined {
  return categoryByTitle.get(title)
}

function quoteAll(names: readonly string[]): string {
  return `one of ${names.map((name) => JSON.stringify(name)).join(', ')}`
}

const contentFilterSchema = z.strictObject({
  name: z
    .string()
    .refine((name) => titleByKey.has(keyOfTitle(name)), quoteAll(titles))
    .transform((name) => titleByKey.get(keyOfTitle(name)) ?? name),
  source: z.enum(filterSources),
  /** What is left out is as in the base policy. */
  enabled: z.boolean().default(true),
  blocking: z.boolean().optional(),
  /** Of filters with levels; on others it means nothing, since some tools write it everywhere. */
  severityThreshold: z.enum(severityThresholds).optional(),
  action: z.enum(filterActions).optional(),
  engines: z.array(filterNameSchema).min(1).max(8).optional(),
  combine: z.enum(combineRules).optional(),
  onError: z.enum(errorRules).optional(),
  /** Of the filter of personal data: which types; all of them when absent. */
  piiTypes: z
    .array(z.strictObject({ type: z.string().min(1).max(128), action: z.enum(piiActions).default('annotate') }))
    .min(1)
    .max(500)
    .optional(),
  /** Of the filter of personal data in prompts: whether what was redacted is put back where the answer repeats it. */
  restoresRedacted: z.boolean().optional(),
})

const legacyListsSchema = z
  .array(z.strictObject({ blocklistName: filterNameSchema, blocking: z.boolean().default(true) }))
  .max(100)
  .optional()

const maxProtectedChars = 1_000_000
/** Shorter passages are anybody's, and would never be found. */
const minProtectedChars = 110

function protectedSchema<T extends z.ZodRawShape>(more: T) {
  const text = { name: z.string().min(1).max(128), text: z.string().min(minProtectedChars).max(maxProtectedChars) }
  return z
    .array(z.strictObject({ ...text, ...more }))
    .max(1000)
    .refine(
      (texts) =>
        texts.reduce((sum, entry) => sum + (entry as { text: string }).text.length, 0) <= 4 * maxProtectedChars,
      `texts of at most ${4 * maxProtectedChars} characters together`,
    )
    .default([])
}

export const policySchema = z.strictObject({
  name: filterNameSchema,
  description: z.string().max(1024).optional(),
  tags: tagsSchema.optional(),
  /** Filters that are not named come from here. */
  basePolicyName: z.enum(systemPolicyNames).default(defaultPolicyName),
  mode: z.enum(policyModes).default('Default'),
  contentFilters: z.array(contentFilterSchema).max(100).default([]),
  customBlocklists: z
    .array(
      z.strictObject({
        blocklistName: filterNameSchema,
        blocking: z.boolean().default(true),
        source: z.enum(filterSources),
      }),
    )
    .max(100)
    .default([]),
  customTopics: z
    .array(
      z.strictObject({
        topicName: filterNameSchema,
        blocking: z.boolean().default(true),
        source: z.enum(filterSources),
      }),
    )
    .max(100)
    .default([]),
  /** As the service had them before `customBlocklists`. */
  promptBlocklists: legacyListsSchema,
  completionBlocklists: legacyListsSchema,
  scope: z
    .strictObject({
      messages: z.enum(['last-user', 'all']).default('last-user'),
      toolResults: z.boolean().default(false),
      exemptSystem: z.boolean().default(true),
    })
    .prefault({}),
  promptCheck: z.enum(['concurrent', 'first']).default('concurrent'),
  spotlighting: z.boolean().default(false),
  strictAzureChunks: z.boolean().default(false),
  /** Whether a call may choose the policy with `x-policy-id`. */
  selectable: z.boolean().default(true),
  /** Texts of the operator's own that answers shall not repeat, for the filters of protected material. */
  protectedTexts: protectedSchema({}),
  /** The same for code; where it is from and under which licence is told with it. */
  protectedCode: protectedSchema({ url: z.url().max(2048).optional(), license: z.string().min(1).max(128).optional() }),
})

type ParsedPolicy = z.output<typeof policySchema>
export type PolicyInput = z.input<typeof policySchema>
export type ContentFilter = Omit<ParsedPolicy['contentFilters'][number], 'action'>
/** A policy whose names have been judged, in one way of writing it. */
export type PolicySpec = Omit<ParsedPolicy, 'contentFilters' | 'promptBlocklists' | 'completionBlocklists'> & {
  readonly contentFilters: readonly ContentFilter[]
}
