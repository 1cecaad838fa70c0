import { hardTexts, oddPatterns, plainTexts } from '../filter/texts.ts'
import type { Random } from '../random.ts'
import { type Document, plantedSecret } from './documents.ts'

/** What content filters are made of, as an operator sends it to the management API, to begin from. */

export const filterKinds = ['rai-policies', 'rai-blocklists', 'rai-topics', 'filter-engines'] as const
export type FilterKind = (typeof filterKinds)[number]

export const filterNames: Readonly<Record<FilterKind, readonly string[]>> = {
  'rai-policies': ['base-policy', 'BASE-policy', 'new-policy', 'Microsoft.DefaultV2', 'microsoft.nil', 'new~one'],
  'rai-blocklists': ['base-list', 'Base-List', 'new-list', 'in.file', 'new_list'],
  'rai-topics': ['base-topic', 'BASE-TOPIC', 'new-topic'],
  'filter-engines': ['base-guard', 'base-http', 'BASE-http', 'new-engine', 'builtin'],
}
export const itemNames = ['one', 'ONE', 'two', 'new-item', 'delete', 'none']

/** With what the documents of a fresh server refer to. In the order in which they can be made. */
export const baseDocuments: readonly (readonly [FilterKind, string, Document])[] = [
  ['filter-engines', 'base-guard', { kind: 'guard', deployment: 'base-plain', profile: 'qwen3guard' }],
  ['filter-engines', 'base-http', { kind: 'http', url: 'http://127.0.0.1:1/v1', credential: { value: plantedSecret } }],
  [
    'rai-blocklists',
    'base-list',
    {
      items: [
        { name: 'one', pattern: 'berry' },
        { name: 'two', pattern: 'a+b', isRegex: true },
      ],
    },
  ],
  ['rai-topics', 'base-topic', { description: 'the weather', examples: ['will it rain'] }],
  [
    'rai-policies',
    'base-policy',
    {
      contentFilters: [
        { name: 'Hate', source: 'Prompt', engines: ['builtin', 'base-http'] },
        { name: 'PII', source: 'Completion' },
      ],
      customBlocklists: [
        { blocklistName: 'base-list', source: 'Prompt' },
        { blocklistName: 'base-list', source: 'Completion', blocking: false },
      ],
      customTopics: [{ topicName: 'base-topic', source: 'Prompt' }],
      scope: { messages: 'all', toolResults: true },
    },
  ],
]

const titles = [
  'Hate',
  'Sexual',
  'Violence',
  'Selfharm',
  'Jailbreak',
  'Indirect Attack',
  'Indirect Attack Spotlighting',
  'Profanity',
  'Protected Material Text',
  'protected_material_code',
  'Groundedness',
  'PII',
]

function filter(random: Random): Document {
  const name = random.pick(titles)
  return {
    name,
    source: random.pick(['Prompt', 'Completion']),
    enabled: random.chance(0.8),
    ...(random.chance(0.4) && { blocking: random.chance(0.5) }),
    ...(random.chance(0.4) && { severityThreshold: random.pick(['Low', 'Medium', 'High']) }),
    ...(random.chance(0.1) && { action: random.pick(['None', 'BLOCKING', 'ANNOTATING']) }),
    ...(random.chance(0.3) && { engines: [random.pick(['builtin', 'base-guard', 'base-http', 'BASE-HTTP'])] }),
    ...(random.chance(0.2) && { combine: random.pick(['max', 'first', 'vote']) }),
    ...(random.chance(0.2) && { onError: random.pick(['open', 'closed']) }),
    ...(name === 'PII' && random.chance(0.6) && { piiTypes: [{ type: 'Email', action: 'redact' }] }),
  }
}

function policy(random: Random): Document {
  const places = new Set<string>()
  const filters = Array.from({ length: random.int(0, 5) }, () => filter(random)).filter(({ name, source }) => {
    const isNew = !places.has(`${name}${source}`)
    places.add(`${name}${source}`)
    return isNew
  })
  const list = { blocklistName: random.pick(['base-list', 'BASE-LIST']), source: 'Prompt' }
  return {
    description: 'for everybody',
    basePolicyName: random.pick(['Microsoft.Default', 'Microsoft.DefaultV2', 'Microsoft.Nil']),
    mode: random.pick(['Default', 'Blocking', 'Asynchronous_filter', 'Deferred']),
    contentFilters: filters,
    customBlocklists: random.chance(0.5) ? [list] : [],
    customTopics: random.chance(0.3) ? [{ topicName: 'base-topic', source: 'Prompt', blocking: false }] : [],
    ...(random.chance(0.2) && { promptBlocklists: [{ blocklistName: 'base-list' }] }),
    scope: { messages: random.pick(['last-user', 'all']), toolResults: random.chance(0.5), exemptSystem: false },
    promptCheck: random.pick(['concurrent', 'first']),
    spotlighting: random.chance(0.3),
    strictAzureChunks: random.chance(0.3),
    selectable: random.chance(0.7),
    ...(random.chance(0.3) && { protectedTexts: [{ name: 'song', text: 'la di da '.repeat(20) }] }),
    ...(random.chance(0.2) && {
      protectedCode: [{ name: 'sort', text: 'for (;;) {} '.repeat(20), url: 'https://a.example/x', license: 'MIT' }],
    }),
  }
}

const safetyOf = (random: Random): Document =>
  random.pick<Document>([
    { kind: 'guard', deployment: 'base-plain', profile: 'llama-guard-3', options: { unsafeSeverity: 4 } },
    { kind: 'guard', deployment: 'BASE-plain', profile: 'shieldgemma', deadlineMs: { prompt: 900, window: 400 } },
    {
      kind: 'http',
      url: 'https://filter.example/v1',
      credential: random.pick([{ value: plantedSecret }, { env: 'PONTO_SECRET_FUZZ' }, { stored: true }, null]),
      options: { labels: { rude: 'hate', odd: 'none' } },
      maxChars: 5000,
    },
    { kind: 'http', url: 'http://127.0.0.1:1/v1', credential: { stored: true } },
    { kind: 'openai-moderations', url: 'https://api.example/v1', credential: { value: plantedSecret } },
  ])

/** Words, and patterns that are hard or no patterns; sometimes a great many. */
export function itemsDocument(random: Random): Document[] {
  const count = random.chance(0.02) ? random.pick([9_999, 10_000, 10_001]) : random.int(0, 5)
  return Array.from({ length: count }, (_, i) => {
    const isHard = count < 10 && random.chance(0.3)
    const pattern = isHard ? patternText(random) : `${random.pick(['berry', 'Größe', '\u{1f600}', 'a b'])} ${i}`
    return {
      ...(random.chance(0.5) && { name: count < 10 ? random.pick(itemNames) : `item-${i}` }),
      pattern,
      isRegex: isHard,
    }
  })
}

/** One of those there are, two of them one behind the other, or one with a piece of another in it. */
export function patternText(random: Random): string {
  const pattern = random.pick(oddPatterns)
  const other = random.pick(oddPatterns)
  const at = random.int(0, pattern.length)
  return random.pick([
    pattern,
    pattern,
    `${pattern}${other}`,
    `(${pattern}|${other})*`,
    `(?:${pattern}){${random.int(0, 60)},${random.int(0, 90)}}`,
    pattern.slice(0, at),
    pattern.slice(0, at) + other.slice(random.int(0, other.length)) + pattern.slice(at),
    `(?i)${pattern}`,
    `^${pattern}$`,
  ])
}

export function filterDocument(kind: FilterKind, random: Random): Document {
  switch (kind) {
    case 'rai-policies':
      return policy(random)
    case 'rai-blocklists':
      return {
        description: 'of products',
        ...(random.chance(0.7) && { items: itemsDocument(random) }),
        ...(random.chance(0.4) && { terms: ['roadrunner', random.pick(['x', '  ', '\u200b', 'a'.repeat(1001)])] }),
      }
    case 'rai-topics':
      return { description: 'questions about the weather', examples: ['will it rain', 'x'.repeat(1000)] }
    case 'filter-engines':
      return safetyOf(random)
  }
}

export function analyzeDocument(random: Random): Document {
  const text = (): string => random.pick(random.chance(0.5) ? plainTexts : hardTexts)
  const count = random.chance(0.03) ? 1_000 : random.int(1, 4)
  return {
    policy: random.pick(['base-policy', 'BASE-POLICY', 'Microsoft.Nil', 'none', undefined]),
    lines: Array.from({ length: count }, () => ({
      text: count > 10 ? 'short' : text(),
      source: random.pick(['Prompt', 'Completion', undefined]),
      ...(random.chance(0.2) && { prompt: text() }),
      ...(random.chance(0.2) && { documents: [text()] }),
    })),
  }
}

/** Values that mean something, for a field drawn at random. */
export const knownFilterFields: readonly (readonly [string, unknown])[] = [
  ['raiPolicyName', 'base-policy'],
  ['raiPolicyName', 'MICROSOFT.NIL'],
  ['raiPolicyName', 'none'],
  ['basePolicyName', 'base-policy'],
  ['contentFilters', [{ name: 'Jailbreak', source: 'Completion' }]],
  ['contentFilters', [{ name: 'PII', source: 'Prompt', piiTypes: [{ type: 'Shoe size' }] }]],
  ['contentFilters', [{ name: 'Hate', source: 'Prompt', engines: ['none'] }]],
  ['customBlocklists', [{ blocklistName: 'none', source: 'Prompt' }]],
  ['customTopics', null],
  ['mode', 'blocking'],
  ['scope', {}],
  ['protectedTexts', [{ name: 'short', text: 'x' }]],
  ['items', null],
  [
    'items',
    [
      { name: 'one', pattern: 'x' },
      { name: 'ONE', pattern: 'y' },
    ],
  ],
  ['items', [{ pattern: '(a+)+$', isRegex: true }]],
  ['terms', ['']],
  ['itemCount', 5],
  ['policies', ['x']],
  ['effectiveFilters', []],
  ['type', 'SystemManaged'],
  ['kind', 'guard'],
  ['deployment', 'none'],
  ['profile', 'none'],
  ['url', 'http://user:word@127.0.0.1:1/'],
  ['options', { labels: { a: 'nothing' } }],
  ['deadlineMs', { prompt: 0 }],
  ['maxChars', 1e12],
  ['credential', { sealed: 'x' }],
  ['credential', null],
  ['examples', Array.from({ length: 101 }, () => 'x')],
  ['policy', '__proto__'],
  ['lines', []],
]
