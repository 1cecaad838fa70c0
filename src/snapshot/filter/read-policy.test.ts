import { describe, expect, test } from 'bun:test'
import type { FilterCategory } from '../../core/filter/categories.ts'
import { formatProblem } from '../../core/text/parse-document.ts'
import type { PolicyInput } from './policy-spec.ts'
import { type PolicyRefs, readPolicy } from './read-policy.ts'
import { resolveFilters } from './resolve-policy.ts'
import { systemPolicies } from './system-policies.ts'

const refs: PolicyRefs = {
  blocklists: ['words', 'names'],
  topics: [
    { name: 'weather', hasExamples: true },
    { name: 'rivals', hasExamples: false },
  ],
  engines: [{ name: 'Guard', categories: new Set<FilterCategory>(['hate', 'custom_topics']) }],
}

function problemsOf(input: object): string[] {
  const reading = readPolicy({ name: 'mine', ...input }, refs)
  return 'problems' in reading ? reading.problems.map(formatProblem) : []
}

function read(input: Partial<PolicyInput>) {
  const reading = readPolicy({ name: 'mine', ...input }, refs)
  if ('problems' in reading) throw new Error(reading.problems.map(formatProblem).join('; '))
  return reading.spec
}

/** `hate/Prompt >=4 block` */
function summarize(input: Partial<PolicyInput>): string[] {
  return resolveFilters(read(input)).map(
    ({ category, source, blocking, leastSeverity }) =>
      `${category}/${source} >=${leastSeverity} ${blocking ? 'block' : 'annotate'}`,
  )
}

describe('the policies that come with Ponto', () => {
  test.each(['Microsoft.DefaultV2', 'Microsoft.Default'] as const)('%s is what the service does by default', (name) => {
    const filters = resolveFilters(systemPolicies[name])
    expect(filters.map(({ category, source, blocking }) => [category, source, blocking])).toEqual([
      ['hate', 'Prompt', true],
      ['hate', 'Completion', true],
      ['sexual', 'Prompt', true],
      ['sexual', 'Completion', true],
      ['violence', 'Prompt', true],
      ['violence', 'Completion', true],
      ['self_harm', 'Prompt', true],
      ['self_harm', 'Completion', true],
      ['jailbreak', 'Prompt', true],
      ['protected_material_text', 'Completion', true],
      ['protected_material_code', 'Completion', false],
    ])
    expect(new Set(filters.slice(0, 8).map(({ leastSeverity }) => leastSeverity))).toEqual(new Set([4]))
    for (const { engines, combine, onError } of filters) {
      expect([engines, combine, onError]).toEqual([['builtin'], 'max', 'open'])
    }
  })

  test('Microsoft.Nil filters nothing, and no call may choose it', () => {
    expect(resolveFilters(systemPolicies['Microsoft.Nil'])).toEqual([])
    expect(systemPolicies['Microsoft.Nil'].selectable).toBe(false)
    expect(systemPolicies['Microsoft.Default'].selectable).toBe(true)
  })
})

describe('a policy', () => {
  test('has the filters of its base, and its own over them', () => {
    const own = summarize({
      contentFilters: [
        { name: 'hate', source: 'Prompt', severityThreshold: 'Low' },
        { name: 'SEXUAL', source: 'Completion', blocking: false },
        { name: 'Violence', source: 'Prompt', enabled: false },
        { name: 'IndirectAttack', source: 'Prompt' },
        { name: 'protected_material_code', source: 'Completion', blocking: true },
      ],
    })
    expect(own).toContain('hate/Prompt >=2 block')
    expect(own).toContain('hate/Completion >=4 block')
    expect(own).toContain('sexual/Completion >=4 annotate')
    expect(own.filter((filter) => filter.startsWith('violence'))).toEqual(['violence/Completion >=4 block'])
    expect(own).toContain('indirect_attack/Prompt >=1 block')
    expect(own).toContain('protected_material_code/Completion >=1 block')
    expect(own).toContain('jailbreak/Prompt >=1 block')
  })

  test('a field that is not given is as in the base', () => {
    const contentFilters = [{ name: 'Protected Material Code', source: 'Completion' as const, engines: ['builtin'] }]
    expect(summarize({ contentFilters })).toContain('protected_material_code/Completion >=1 annotate')
  })

  test('over Microsoft.Nil has only its own', () => {
    expect(
      summarize({
        basePolicyName: 'Microsoft.Nil',
        contentFilters: [{ name: 'Hate', source: 'Prompt', severityThreshold: 'High', action: 'ANNOTATING' }],
      }),
    ).toEqual(['hate/Prompt >=6 annotate'])
  })

  test('titles count without regard to case, spaces and underscores, and are stored in one spelling', () => {
    const names = ['selfharm', 'Self_Harm', 'SELF HARM', 'Self-harm']
    expect(names.map((name) => read({ contentFilters: [{ name, source: 'Prompt' }] }).contentFilters[0]?.name)).toEqual(
      Array(4).fill('Selfharm'),
    )
    expect(read({ contentFilters: [{ name: 'PII', source: 'Prompt' }] }).contentFilters[0]?.name).toBe(
      'Personally Identifiable Information',
    )
    expect(
      read({ contentFilters: [{ name: 'ungrounded_material', source: 'Completion' }] }).contentFilters[0]?.name,
    ).toBe('Groundedness')
  })

  test('lists of the older spelling are read, and stored in the newer one', () => {
    expect(
      read({
        promptBlocklists: [{ blocklistName: 'words' }],
        completionBlocklists: [{ blocklistName: 'words', blocking: false }],
        customBlocklists: [{ blocklistName: 'NAMES', source: 'Prompt' }],
      }),
    ).toMatchObject({
      customBlocklists: [
        { blocklistName: 'NAMES', source: 'Prompt', blocking: true },
        { blocklistName: 'words', source: 'Prompt', blocking: true },
        { blocklistName: 'words', source: 'Completion', blocking: false },
      ],
    })
  })

  test('topics switch their filter on; an entry says by what they are judged', () => {
    const customTopics = [{ topicName: 'weather', source: 'Prompt' as const }]
    const contentFilters = [
      { name: 'Custom Topics', source: 'Prompt' as const, engines: ['guard', 'builtin'], combine: 'vote' as const },
    ]
    const basePolicyName = 'Microsoft.Nil' as const
    expect(summarize({ basePolicyName, customTopics })).toEqual(['custom_topics/Prompt >=1 block'])
    expect(resolveFilters(read({ basePolicyName, customTopics, contentFilters }))[0]).toMatchObject({
      engines: ['guard', 'builtin'],
      combine: 'vote',
    })
    expect(summarize({ basePolicyName, contentFilters })).toEqual([])
  })

  test("the service's own name for spotlighting is the switch", () => {
    const contentFilters = [{ name: 'Indirect Attack Spotlighting', source: 'Prompt' as const }]
    expect(read({ contentFilters })).toMatchObject({ spotlighting: true, contentFilters: [] })
    expect(read({ contentFilters: [{ ...contentFilters[0], enabled: false } as never] }).spotlighting).toBe(false)
  })

  test('what is stored can be read again and is the same', () => {
    const spec = read({
      mode: 'Asynchronous_filter',
      contentFilters: [
        { name: 'PII', source: 'Prompt', piiTypes: [{ type: 'Email', action: 'redact' }], restoresRedacted: true },
        { name: 'Hate', source: 'Prompt', engines: ['builtin', 'Guard'], onError: 'closed', action: 'BLOCKING' },
      ],
      promptBlocklists: [{ blocklistName: 'words' }],
      protectedTexts: [{ name: 'a', text: 'la '.repeat(40) }],
      scope: { messages: 'all', toolResults: true },
    })
    expect(readPolicy(JSON.parse(JSON.stringify(spec)), refs)).toEqual({ spec })
  })
})

const hate = { name: 'Hate', source: 'Prompt' }
const pii = { name: 'PII', source: 'Prompt' }

test.each<[string, object, string[]]>([
  [
    'an unknown category',
    { contentFilters: [{ name: 'Hatred', source: 'Prompt' }] },
    [
      'contentFilters[0].name: got "Hatred", expected one of "Hate", "Sexual", "Violence", "Selfharm", "Jailbreak", "Indirect Attack", "Profanity", "Protected Material Text", "Protected Material Code", "Groundedness", "Personally Identifiable Information", "Custom Topics", "Indirect Attack Spotlighting"',
    ],
  ],
  [
    'an unknown threshold',
    { contentFilters: [{ ...hate, severityThreshold: 'Extreme' }] },
    ['contentFilters[0].severityThreshold: got "Extreme", expected one of "Low", "Medium", "High"'],
  ],
  [
    'an unknown mode',
    { mode: 'Async' },
    ['mode: got "Async", expected one of "Default", "Blocking", "Asynchronous_filter", "Deferred"'],
  ],
  [
    'an unknown source',
    { contentFilters: [{ name: 'Hate', source: 'PreToolCall' }] },
    ['contentFilters[0].source: got "PreToolCall", expected one of "Prompt", "Completion"'],
  ],
  [
    'no source',
    { contentFilters: [{ name: 'Hate' }] },
    ['contentFilters[0].source: missing, expected one of "Prompt", "Completion"'],
  ],
  [
    'an unknown base',
    { basePolicyName: 'mine-too' },
    ['basePolicyName: got "mine-too", expected one of "Microsoft.DefaultV2", "Microsoft.Default", "Microsoft.Nil"'],
  ],
  [
    'an unknown engine',
    { contentFilters: [{ ...hate, engines: ['builtin', 'gard'] }] },
    ['contentFilters[0].engines[1]: got "gard", expected one of "builtin", "Guard"'],
  ],
  [
    'an engine that cannot judge the category',
    { contentFilters: [{ name: 'Jailbreak', source: 'Prompt', engines: ['guard'] }] },
    [
      'contentFilters[0].engines[0]: the engine "Guard" does not judge Jailbreak, but Hate, Custom Topics; expected "builtin"',
    ],
  ],
  [
    'an engine twice',
    { contentFilters: [{ ...hate, engines: ['guard', 'GUARD'] }] },
    ['contentFilters[0].engines[1]: got "GUARD" again, expected each engine once'],
  ],
  [
    'a side that the category does not have',
    {
      contentFilters: [
        { name: 'Jailbreak', source: 'Completion' },
        { name: 'Groundedness', source: 'Prompt' },
      ],
    },
    [
      'contentFilters[0].source: got "Completion", expected "Prompt": Jailbreak is a filter for that side only',
      'contentFilters[1].source: got "Prompt", expected "Completion": Groundedness is a filter for that side only',
    ],
  ],
  [
    'a filter twice',
    { contentFilters: [hate, { ...hate, name: 'hate' }] },
    ['contentFilters[1]: the filter Hate for Prompt is set before, in contentFilters[0]; set it once'],
  ],
  [
    'an action that a gateway cannot take',
    { contentFilters: [{ ...hate, action: 'RETRY' }] },
    ['contentFilters[0].action: got "RETRY", expected one of "None", "BLOCKING", "ANNOTATING"'],
  ],
  [
    'an action that says otherwise than blocking',
    { contentFilters: [{ ...hate, action: 'ANNOTATING', blocking: true }] },
    [
      'contentFilters[0].action: got "ANNOTATING" beside blocking: true, expected one of the two or both to say the same',
    ],
  ],
  [
    'an unknown list',
    { customBlocklists: [{ blocklistName: 'wrods', source: 'Prompt' }] },
    ['customBlocklists[0].blocklistName: got "wrods", expected one of "words", "names"'],
  ],
  [
    'an unknown list in the older spelling',
    { completionBlocklists: [{ blocklistName: 'wrods' }] },
    ['completionBlocklists[0].blocklistName: got "wrods", expected one of "words", "names"'],
  ],
  [
    'a list twice',
    {
      customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }],
      promptBlocklists: [{ blocklistName: 'WORDS' }],
    },
    ['promptBlocklists[0].blocklistName: got "WORDS" for Prompt again, expected it once'],
  ],
  [
    'an unknown topic',
    { customTopics: [{ topicName: 'sports', source: 'Prompt' }] },
    ['customTopics[0].topicName: got "sports", expected one of "weather", "rivals"'],
  ],
  [
    'a topic without examples that only the builtin engine judges',
    { customTopics: [{ topicName: 'rivals', source: 'Prompt' }] },
    [
      'customTopics[0].topicName: the topic "rivals" has no examples, and the builtin engine looks for nothing else; give it some, or name another engine in contentFilters, under Custom Topics for Prompt',
    ],
  ],
  [
    'types of personal data elsewhere',
    { contentFilters: [{ ...hate, piiTypes: [{ type: 'Email' }] }] },
    ['contentFilters[0].piiTypes: is for the filter Personally Identifiable Information only'],
  ],
  [
    'a type twice',
    { contentFilters: [{ ...pii, piiTypes: [{ type: 'Email' }, { type: 'Email', action: 'block' }] }] },
    ['contentFilters[0].piiTypes[1].type: got "Email" again, expected each type once'],
  ],
  [
    'an unknown action for a type',
    { contentFilters: [{ ...pii, piiTypes: [{ type: 'Email', action: 'mask' }] }] },
    ['contentFilters[0].piiTypes[0].action: got "mask", expected one of "annotate", "block", "redact"'],
  ],
  [
    'putting back what an answer redacts',
    { contentFilters: [{ name: 'PII', source: 'Completion', restoresRedacted: true }] },
    [
      'contentFilters[0].restoresRedacted: got true, expected it with source "Prompt": only there something is redacted that can be put back',
    ],
  ],
  [
    'a name of the system',
    { name: 'microsoft.mine' },
    ['name: got "microsoft.mine", expected a name that does not begin with "Microsoft.": those come with Ponto'],
  ],
  [
    'a misspelt field',
    { contentFilter: [] },
    [
      expect.stringContaining(
        'contentFilter: unknown field, allowed are name, description, tags, basePolicyName,',
      ) as never,
    ],
  ],
  [
    'a protected text of which no passage could be found',
    { protectedTexts: [{ name: 'a', text: 'la la la' }] },
    ['protectedTexts[0].text: got "la la la", expected at least 110 characters'],
  ],
  [
    'protected texts from a file, which only the configuration file can name',
    { protectedTexts: [{ name: 'a', file: '/etc/passwd' }] },
    [
      'protectedTexts[0].text: missing, expected a string',
      'protectedTexts[0].file: unknown field, allowed are name, text',
    ],
  ],
])('%s is refused', (_what, input, problems) => {
  expect(problemsOf(input)).toEqual(problems)
})

test('an unknown type of personal data is refused with the types there are', () => {
  const [problem] = problemsOf({ contentFilters: [{ ...pii, piiTypes: [{ type: 'ShoeSize' }] }] })
  expect(problem).toStartWith(
    'contentFilters[0].piiTypes[0].type: got "ShoeSize", expected one of "Email", "PhoneNumber", ',
  )
})

test('where there are no lists it is told to make one', () => {
  const input = { name: 'mine', customBlocklists: [{ blocklistName: 'words', source: 'Prompt' }] }
  const reading = readPolicy(input, { blocklists: [], topics: [], engines: [] })
  expect('problems' in reading && reading.problems.map(formatProblem)).toEqual([
    'customBlocklists[0].blocklistName: there is no blocklist "words"; make it first',
  ])
})
