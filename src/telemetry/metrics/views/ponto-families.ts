import type { CallFacts, Lane, Tally } from '../call-facts.ts'
import { type Family, type Histogram, mergeHistograms, mergeValues, type Sample } from '../family.ts'

const laneLabels = [
  'resource',
  'deployment',
  'model',
  'model_version',
  'operation',
  'surface',
  'stream',
  'batch',
] as const

/** What calls have come to, in words of this server. */
export function pontoFamilies(facts: CallFacts): Family[] {
  const lanes = facts.lanes()
  const counted = lanes.filter(({ input }) => input.count > 0)
  const attempts = facts.attempts()
  const histogram = (name: string, help: string, pick: (lane: Lane) => Histogram): Family => ({
    ...{ name, help, kind: 'histogram', unit: 's', labels: laneLabels },
    samples: mergeHistograms(lanes.map((lane) => ({ labels: labelsOf(lane), histogram: pick(lane) }))),
  })
  return [
    {
      name: 'ponto.requests',
      help: 'Requests that have ended. code is why one ended badly and empty where it did not.',
      kind: 'counter',
      unit: '{request}',
      labels: [...laneLabels, 'status', 'code', 'spillover', 'tier'],
      samples: mergeValues(
        lanes.flatMap((lane) =>
          lane.endings.map(({ status, code, isSpillover, tier, duration }) => ({
            labels: [...labelsOf(lane), String(status), code, String(isSpillover), tier],
            value: duration.count,
          })),
        ),
      ),
    },
    {
      name: 'ponto.requests.running',
      help: 'Requests that a deployment is answering.',
      kind: 'gauge',
      unit: '{request}',
      labels: ['resource', 'deployment'],
      samples: tell(facts.running()),
    },
    {
      name: 'ponto.request.duration',
      help: 'From when a request came until its last byte had gone out.',
      kind: 'histogram',
      unit: 's',
      labels: [...laneLabels, 'code'],
      samples: mergeHistograms(
        lanes.flatMap((lane) =>
          lane.endings.map(({ code, duration }) => ({ labels: [...labelsOf(lane), code], histogram: duration })),
        ),
      ),
    },
    histogram('ponto.queue.duration', 'What requests that waited for a slot or a place waited.', ({ queue }) => queue),
    histogram(
      'ponto.upstream.duration',
      'From when a request came until the backend that answered had begun to.',
      ({ upstream }) => upstream,
    ),
    histogram(
      'ponto.first_token.duration',
      'From when a request came until the first piece of its stream went out.',
      ({ firstToken }) => firstToken,
    ),
    histogram(
      'ponto.between_tokens.duration',
      'Between two tokens of a stream, its first one left out.',
      ({ betweenTokens }) => betweenTokens,
    ),
    {
      name: 'ponto.tokens',
      help: 'Tokens. cached ones are among those of the prompt, those of reasoning among those of the completion.',
      kind: 'counter',
      unit: '{token}',
      labels: [...laneLabels, 'kind'],
      samples: mergeValues(
        counted.flatMap((lane) =>
          Object.entries({
            prompt: lane.input.sum,
            cached: lane.cachedTokens,
            completion: lane.output.sum,
            reasoning: lane.reasoningTokens,
          }).map(([kind, value]) => ({ labels: [...labelsOf(lane), kind], value })),
        ),
      ),
    },
    {
      name: 'ponto.requests.estimated',
      help: 'Requests whose tokens nobody counted: theirs are a guess.',
      kind: 'counter',
      unit: '{request}',
      labels: laneLabels,
      samples: mergeValues(counted.map((lane) => ({ labels: labelsOf(lane), value: lane.estimated }))),
    },
    {
      name: 'ponto.rate_limited',
      help: 'Refusals with 429, by whose limit of what it was: also those after which another deployment answered.',
      kind: 'counter',
      unit: '{request}',
      labels: ['resource', 'deployment', 'owner', 'measure'],
      samples: tell(facts.limited()),
    },
    {
      name: 'ponto.filter.findings',
      help: 'What content filters found; action is filtered where it was kept back.',
      kind: 'counter',
      unit: '{finding}',
      labels: ['resource', 'deployment', 'source', 'category', 'severity', 'action'],
      samples: tell(facts.findings()),
    },
    {
      name: 'ponto.filter.errors',
      help: 'Requests for which a content filter could not run.',
      kind: 'counter',
      unit: '{request}',
      labels: ['resource', 'deployment'],
      samples: tell(facts.filterErrors()),
    },
    {
      name: 'ponto.backend.attempts',
      help: 'Requests to backends. code is why one was left and empty for the one that answered.',
      kind: 'counter',
      unit: '{attempt}',
      labels: attemptLabels,
      samples: mergeValues(attempts.map((lane) => ({ labels: attemptLabelsOf(lane), value: lane.whole.count }))),
    },
    {
      name: 'ponto.backend.duration',
      help: 'Until a backend had begun to answer, or had failed.',
      kind: 'histogram',
      unit: 's',
      labels: attemptLabels,
      samples: mergeHistograms(attempts.map((lane) => ({ labels: attemptLabelsOf(lane), histogram: lane.begin }))),
    },
  ]
}

function labelsOf({
  resource,
  deployment,
  model,
  modelVersion,
  operation,
  surface,
  isStream,
  isBatch,
}: Lane): string[] {
  return [resource, deployment, model, modelVersion, operation, surface, String(isStream), String(isBatch)]
}

const attemptLabels = ['resource', 'deployment', 'operation', 'backend', 'code'] as const

function attemptLabelsOf(lane: ReturnType<CallFacts['attempts']>[number]): string[] {
  return [lane.resource, lane.deployment, lane.operation, lane.backend, lane.code]
}

function tell(tallies: readonly Tally[]): Sample[] {
  return tallies.map(({ resource, deployment, words, count }) => ({
    labels: [resource, deployment, ...words],
    value: count,
  }))
}
