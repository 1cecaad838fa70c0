import type { CallKind } from '../../../core/call.ts'
import { addressOf, attributes, genAi, genAiMetrics, operationOf, provider } from '../../genai-attributes.ts'
import type { AttemptLane, CallFacts, Lane } from '../call-facts.ts'
import { type Family, type Histogram, mergeHistograms } from '../family.ts'

/** Which resource of the server. */
const resourceLabel = 'ponto.resource'

const laneLabels = [
  genAi.operationName,
  genAi.providerName,
  genAi.requestModel,
  genAi.responseModel,
  resourceLabel,
] as const

/** The same under the names of OpenTelemetry's conventions: `client` is our side towards backends, `server` the one towards callers. */
export function genAiFamilies(facts: CallFacts): Family[] {
  const lanes = facts.lanes().filter(({ deployment }) => deployment !== '')
  const ofLanes = (pick: (lane: Lane) => Histogram) =>
    mergeHistograms(lanes.map((lane) => ({ labels: labelsOf(lane), histogram: pick(lane) })))
  return [
    {
      name: genAiMetrics.operationDuration,
      help: 'Duration of the operation as a backend performed it.',
      kind: 'histogram',
      unit: 's',
      labels: [
        ...[genAi.operationName, genAi.providerName, genAi.requestModel],
        ...[attributes.serverAddress, attributes.serverPort, attributes.errorType, resourceLabel],
      ],
      samples: mergeHistograms(
        facts.attempts().map((lane) => ({ labels: attemptLabelsOf(lane), histogram: lane.whole })),
      ),
    },
    {
      name: genAiMetrics.tokenUsage,
      help: 'Tokens of a request.',
      kind: 'histogram',
      unit: '{token}',
      labels: [...laneLabels, genAi.tokenType],
      samples: mergeHistograms(
        lanes.flatMap((lane) => [
          { labels: [...labelsOf(lane), 'input'], histogram: lane.input },
          { labels: [...labelsOf(lane), 'output'], histogram: lane.output },
        ]),
      ),
    },
    {
      name: genAiMetrics.requestDuration,
      help: 'Duration of a request: until its last byte had gone out.',
      kind: 'histogram',
      unit: 's',
      labels: [...laneLabels, attributes.errorType],
      samples: mergeHistograms(
        lanes.flatMap((lane) =>
          lane.endings.map(({ code, duration }) => ({ labels: [...labelsOf(lane), code], histogram: duration })),
        ),
      ),
    },
    {
      name: genAiMetrics.timeToFirstToken,
      help: 'Time until the first token of a stream.',
      kind: 'histogram',
      unit: 's',
      labels: laneLabels,
      samples: ofLanes(({ firstToken }) => firstToken),
    },
    {
      name: genAiMetrics.timePerOutputToken,
      help: 'Time for each token of a stream after its first.',
      kind: 'histogram',
      unit: 's',
      labels: laneLabels,
      samples: ofLanes(({ betweenTokens }) => betweenTokens),
    },
  ]
}

function labelsOf({ resource, operation, deployment, model, modelVersion }: Lane): string[] {
  const response = modelVersion === '' ? model : `${model}-${modelVersion}`
  return [operationOf(operation as CallKind | ''), provider, deployment, response, resource]
}

function attemptLabelsOf({ resource, operation, deployment, backend, code }: AttemptLane): string[] {
  const server = addressOf(backend)
  const port = server ? String(server.port) : ''
  return [
    operationOf(operation as CallKind | ''),
    provider,
    deployment,
    server?.address ?? backend,
    port,
    code,
    resource,
  ]
}
