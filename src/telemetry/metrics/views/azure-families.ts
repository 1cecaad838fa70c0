import { azureOperations, type CallKind } from '../../../core/call.ts'
import type { CallFacts, Lane, Tally } from '../call-facts.ts'
import { type Family, type Histogram, mergeHistograms, mergeValues, type Sample, scaleHistogram } from '../family.ts'

/**
 * The same under the names of Azure Monitor's metrics, with its names of dimensions: `azure_` and the name. What Azure adds up over a minute
 * counts on here, so that a total is `increase(azure_ModelRequests[1m])`; what it averages is a histogram.
 */

/** A share of the capacity of a provisioned deployment, in percent, which whoever counts knows. */
export type Utilization = {
  readonly resource: string
  readonly deployment: string
  readonly model: string
  readonly version: string
  readonly percent: number
}

export const azurePrefix = 'azure_'

const model = ['ResourceName', 'Region', 'ModelDeploymentName', 'ModelName', 'ModelVersion'] as const
const call = [...model, 'ApiName', 'OperationName', 'StreamType'] as const

export function azureFamilies(facts: CallFacts, region: string, utilizations: readonly Utilization[]): Family[] {
  const lanes = facts.lanes().filter(({ deployment }) => deployment !== '')
  const ofModel = (lane: Lane) => [lane.resource, region, lane.deployment, lane.model, lane.modelVersion]
  const ofCall = (lane: Lane) => [
    ...ofModel(lane),
    lane.surface,
    lane.operation === '' ? '' : azureOperations[lane.operation as CallKind],
    lane.isStream ? 'Streaming' : 'Non-Streaming',
  ]
  const counted = lanes.filter(({ input }) => input.count > 0)
  const tokens = (pick: (lane: Lane) => number) =>
    mergeValues(counted.map((lane) => ({ labels: [...ofModel(lane), lane.surface], value: pick(lane) })))
  const times = (pick: (lane: Lane) => Histogram, factor: number) =>
    mergeHistograms(lanes.map((lane) => ({ labels: ofCall(lane), histogram: scaleHistogram(pick(lane), factor) })))
  const endings = lanes.flatMap((lane) => lane.endings.map((ending) => ({ lane, ending })))

  const requests = mergeValues(
    endings.map(({ lane, ending: { status, isSpillover, tier, duration } }) => ({
      labels: [...ofCall(lane), String(status), isSpillover ? 'True' : 'False', tier],
      value: duration.count,
    })),
  )
  const responses = mergeHistograms(
    endings.map(({ lane, ending }) => ({
      labels: [...ofCall(lane), String(ending.status)],
      histogram: scaleHistogram(ending.response, 1000),
    })),
  )
  const lastBytes = mergeHistograms(
    endings
      .filter(({ ending }) => ending.code === '')
      .map(({ lane, ending }) => ({ labels: ofCall(lane), histogram: scaleHistogram(ending.duration, 1000) })),
  )
  const utilization: Sample[] = utilizations.map(({ resource, deployment, model, version, percent }) => ({
    labels: [resource, region, deployment, model, version],
    value: percent,
  }))
  const found = (words: (tally: Tally) => readonly string[], isCounted: (tally: Tally) => boolean) =>
    mergeValues(
      facts
        .findings()
        .filter(isCounted)
        .map((tally) => ({ labels: [tally.resource, region, tally.deployment, ...words(tally)], value: tally.count })),
    )
  return [
    ...both(['ModelRequests', 'AzureOpenAIRequests'], 'Requests.', 'counter', '{request}', {
      labels: [...call, 'StatusCode', 'IsSpillover', 'ServiceTierResponse'],
      samples: requests,
    }),
    ...both(['TimeToResponse', 'AzureOpenAITimeToResponse'], 'Until an answer began.', 'histogram', 'ms', {
      labels: [...call, 'StatusCode'],
      samples: responses,
    }),
    ...both(
      ['NormalizedTimeToFirstToken', 'AzureOpenAINormalizedTTFTInMS'],
      'Until the first token of a stream, for each token of the prompt.',
      'histogram',
      'ms',
      { labels: call, samples: times(({ firstTokenByPrompt }) => firstTokenByPrompt, 1) },
    ),
    ...both(
      ['NormalizedTimeBetweenTokens', 'AzureOpenAINormalizedTBTInMS'],
      'Between two tokens of a stream.',
      'histogram',
      'ms',
      { labels: call, samples: times(({ betweenTokens }) => betweenTokens, 1000) },
    ),
    ...both(['TimeToLastByte', 'AzureOpenAITTLTInMS'], 'Until the last byte of an answer.', 'histogram', 'ms', {
      labels: call,
      samples: lastBytes,
    }),
    ...both(['TokensPerSecond', 'AzureOpenAITokenPerSecond'], 'Speed of streams.', 'histogram', '{token}', {
      labels: call,
      samples: times(({ tokensPerSecond }) => tokensPerSecond, 1),
    }),
    ...both(['InputTokens', 'ProcessedPromptTokens'], 'Tokens of prompts.', 'counter', '{token}', {
      labels: [...model, 'ApiName'],
      samples: tokens(({ input }) => input.sum),
    }),
    ...both(['OutputTokens', 'GeneratedTokens'], 'Tokens of completions.', 'counter', '{token}', {
      labels: [...model, 'ApiName'],
      samples: tokens(({ output }) => output.sum),
    }),
    ...both(['TotalTokens', 'TokenTransaction'], 'Tokens of both.', 'counter', '{token}', {
      labels: [...model, 'ApiName'],
      samples: tokens(({ input, output }) => input.sum + output.sum),
    }),
    ...both(['ActiveTokens'], 'Tokens of both, less those of the prompt that were cached.', 'counter', '{token}', {
      labels: [...model, 'ApiName'],
      samples: tokens(({ input, output, cachedTokens }) => input.sum + output.sum - cachedTokens),
    }),
    ...both(['cacheReadInputTokens'], 'Tokens of prompts that were cached.', 'counter', '{token}', {
      labels: [...model, 'ApiName'],
      samples: tokens(({ cachedTokens }) => cachedTokens),
    }),
    ...both(
      ['ProvisionedUtilization', 'AzureOpenAIProvisionedManagedUtilizationV2'],
      'How much of its capacity a provisioned deployment uses, in percent.',
      'gauge',
      '1',
      { labels: model, samples: utilization },
    ),
    ...both(['RAITotalRequests'], 'Requests that a content filter judged.', 'counter', '{request}', {
      labels: ['ResourceName', 'Region', 'ModelDeploymentName'],
      samples: facts
        .judged()
        .map(({ resource, deployment, count }) => ({ labels: [resource, region, deployment], value: count })),
    }),
    ...both(['RAIRejectedRequests'], 'What content filters kept back.', 'counter', '{request}', {
      labels: ['ResourceName', 'Region', 'ModelDeploymentName', 'TextType', 'Category'],
      samples: found(
        ({ words: [source = '', category = ''] }) => [source, category],
        ({ words }) => words[3] === 'filtered',
      ),
    }),
    ...both(['RAIHarmfulRequests'], 'What content filters found.', 'counter', '{request}', {
      labels: ['ResourceName', 'Region', 'ModelDeploymentName', 'TextType', 'Category', 'Severity'],
      samples: found(
        ({ words: [source = '', category = '', severity = ''] }) => [source, category, severity],
        () => true,
      ),
    }),
    ...both(['RAISystemEvent'], 'Content filters that could not run.', 'counter', '{request}', {
      labels: ['ResourceName', 'Region', 'ModelDeploymentName', 'EventType'],
      samples: facts.filterErrors().map(({ resource, deployment, count }) => ({
        labels: [resource, region, deployment, 'FilterUnavailable'],
        value: count,
      })),
    }),
  ]
}

/** Azure has most of them twice: for all models, and for its OpenAI service. */
function both(
  names: readonly string[],
  help: string,
  kind: Family['kind'],
  unit: Family['unit'],
  told: Pick<Family, 'labels' | 'samples'>,
): Family[] {
  return names.map((name) => ({ name: azurePrefix + name, help, kind, unit, isVerbatim: true, ...told }))
}
