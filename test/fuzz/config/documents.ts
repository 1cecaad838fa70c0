/** Configuration files as operators write them, to begin from. Every section is there, and every field of a deployment. */

/** Stands where a secret may stand, and must be found in no message. */
export const plantedSecret = 'sk-planted-config-8d21f0'

const backend = {
  url: 'https://api.example.com/v1',
  protocol: 'openai',
  auth: 'bearer',
  credential: { env: 'PONTO_SECRET_FUZZ' },
  model: 'm-{version}',
  streamUsage: true,
  nativeBatch: true,
  labels: ['eu', 'site-1'],
  priority: 1,
  weight: 2,
  timeouts: { connectMs: 100, firstByteMs: 100, idleMs: 100, totalMs: 100 },
}

const models = [
  {
    format: 'Acme',
    name: 'acme-large',
    version: '2',
    default: true,
    publisher: 'Acme',
    description: 'Large',
    type: 'chat',
    capabilities: { chat: 'true' },
    maxContextTokens: 100_000,
    maxOutputTokens: 4096,
    lifecycle: {
      status: 'Deprecating',
      retiresAt: '2030-01-31',
      replacement: { name: 'acme-large', version: '3' },
    },
    skus: [
      {
        name: 'GlobalStandard',
        capacity: { minimum: 1, maximum: 100, step: 1, default: 10 },
        tokensPerMinute: 1000,
        requestsPerMinute: 6,
      },
      {
        name: 'ProvisionedManaged',
        capacity: { minimum: 5, maximum: 1000, step: 5 },
        inputTokensPerMinute: 2500,
        outputWeight: 4,
      },
      { name: 'GlobalBatch', enqueuedTokens: 1000 },
    ],
  },
  { format: 'Acme', name: 'acme-large', version: '3', default: false },
  { name: 'gpt-4o', version: '2030-01-01', lifecycle: { status: 'Deprecated', retiresAt: '2020-01-01T00:00:00Z' } },
]

const quota = [
  { format: 'Acme', model: 'acme-large', sku: 'GlobalStandard', limit: 50 },
  { model: 'acme-large', sku: 'ProvisionedManaged', limit: 100 },
  { sku: 'Standard', limit: 0 },
]

const placement = { global: ['eu', 'us'], 'data-zone': ['eu'], regional: ['site-1'] }

const deployments = [
  {
    name: 'large',
    model: { format: 'Acme', name: 'acme-large', version: '2', type: 'chat' },
    sku: { name: 'GlobalStandard', capacity: 3 },
    tokenAccounting: 'estimate',
    versionUpgradeOption: 'OnceCurrentVersionExpired',
    dynamicThrottlingEnabled: true,
    serviceTier: 'Priority',
    deploymentState: 'Paused',
    price: { inputPerMillion: 2.5, cachedInputPerMillion: 1.25, outputPerMillion: 10, perRequest: 0.001 },
    backends: [backend, { url: 'http://127.0.0.1:1234/', protocol: 'anthropic', apiVersion: 'latest', labels: ['us'] }],
  },
  {
    name: 'bought',
    model: { format: 'Acme', name: 'acme-large', version: '2' },
    sku: { name: 'ProvisionedManaged', capacity: 10 },
    concurrency: 4,
    spilloverDeploymentName: 'large',
    raiPolicyName: 'strict',
    backends: [backend],
  },
  {
    name: 'own-limits',
    model: { name: 'anything' },
    rateLimits: [
      { key: 'request', renewalPeriod: 10, count: 5 },
      { key: 'token', renewalPeriod: 60, count: 1000 },
    ],
    backends: [{ url: 'http://127.0.0.1:8080/v1' }],
  },
  { name: 'own-model', model: { name: 'builtin-nano' } },
  {
    name: 'newest',
    model: { name: 'gpt-4o' },
    sku: { name: 'GlobalBatch' },
    versionUpgradeOption: 'NoAutoUpgrade',
    backends: [{ ...backend, protocol: 'azure-openai', apiVersion: '2024-10-21', url: 'https://x.openai.azure.com' }],
  },
]

const filterEngines = [
  {
    name: 'guard',
    kind: 'guard',
    deployment: 'own-limits',
    profile: 'llama-guard-3',
    options: { unsafeSeverity: 4, calibration: { low: 0.2, medium: 0.5, high: 0.8 } },
    deadlineMs: { prompt: 900, window: 400 },
    maxChars: 5000,
  },
  {
    name: 'service',
    kind: 'http',
    url: 'https://filter.example.com/v1',
    credential: { env: 'PONTO_SECRET_FUZZ' },
    options: { labels: { rude: 'hate', odd: 'none' } },
  },
]

const raiBlocklists = [
  {
    name: 'words',
    description: 'of products',
    items: [
      { name: 'one', pattern: 'acme anvil' },
      { name: 'two', pattern: '(ORD|REF)-\\d{4,6}', isRegex: true },
    ],
    terms: ['Größe', 'roadrunner'],
  },
]

const raiTopics = [{ name: 'weather', description: 'questions about the weather', examples: ['will it rain'] }]

const raiPolicies = [
  {
    name: 'strict',
    description: 'for everybody',
    basePolicyName: 'Microsoft.Default',
    mode: 'Asynchronous_filter',
    contentFilters: [
      { name: 'Hate', source: 'Prompt', severityThreshold: 'Low', engines: ['builtin', 'guard'], combine: 'vote' },
      { name: 'Violence', source: 'Completion', enabled: true, action: 'ANNOTATING', onError: 'closed' },
      { name: 'Indirect Attack Spotlighting', source: 'Prompt' },
      {
        name: 'PII',
        source: 'Prompt',
        engines: ['builtin', 'service'],
        piiTypes: [{ type: 'Email', action: 'redact' }, { type: 'CreditCardNumber' }],
        restoresRedacted: true,
      },
    ],
    customBlocklists: [{ blocklistName: 'words', source: 'Completion', blocking: false }],
    customTopics: [{ topicName: 'weather', source: 'Prompt' }],
    promptBlocklists: [{ blocklistName: 'words' }],
    scope: { messages: 'all', toolResults: true, exemptSystem: false },
    promptCheck: 'first',
    strictAzureChunks: true,
    selectable: false,
    protectedTexts: [{ name: 'song', text: 'la '.repeat(40) }],
    protectedCode: [
      { name: 'sort', text: 'for (;;) {} '.repeat(10), url: 'https://code.example.com/sort', license: 'MIT' },
    ],
  },
  { name: 'plain', basePolicyName: 'Microsoft.Nil' },
]

/** A part of the secret that messages are signed with. */
export const plantedHookSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

const webhooks = [
  {
    name: 'ops',
    url: 'https://hooks.example.com/x',
    secret: { env: 'PONTO_SECRET_FUZZ_HOOK' },
    events: ['batch.completed', 'batch.failed', 'batch.expired', 'batch.cancelled'],
    owner: 'ci',
  },
  {
    name: 'here',
    url: 'http://127.0.0.1:9999/',
    secret: { env: 'PONTO_SECRET_FUZZ_HOOK' },
    events: ['batch.completed'],
  },
]

export const wholeFile = {
  webhooks,
  models,
  quota,
  placement,
  filterEngines,
  raiBlocklists,
  raiTopics,
  raiPolicies,
  deployments,
}

/** What only YAML has: anchors, merges, block texts, comments. */
export const yamlText = `# Ours
models:
  - &large
    format: Acme
    name: acme-large
    version: "2"
    skus:
      - { name: GlobalStandard, tokensPerMinute: 1000 }
      - name: ProvisionedManaged
        inputTokensPerMinute: 2500
quota:
  - { sku: GlobalStandard, model: acme-large, limit: 50 }
  - sku: ProvisionedManaged
    limit: 100
placement:
  regional: &near [site-1]
  global: *near
webhooks:
  - { name: ops, url: https://hooks.example.com/x, secret: &s { env: PONTO_SECRET_FUZZ_HOOK }, events: [batch.completed] }
  - name: other
    url: >-
      https://other.example.com
    secret: *s
    events:
      - batch.failed
deployments:
  - name: one
    model: &m { format: Acme, name: acme-large, version: "2" }
    sku: { name: GlobalStandard, capacity: 2 }
    backends: &back
      - url: >-
          https://api.example.com/v1
        labels: *near
        credential: { env: PONTO_SECRET_FUZZ }
  - name: "two"
    model: *m
    sku:
      name: ProvisionedManaged
      capacity: 3
    spilloverDeploymentName: one
    backends: *back
`
