import type { CallKind } from '../call.ts'
import { provider } from './role-table.ts'

/** What is done on the data plane, as Azure names it. */

/** Models of OpenAI and those of everybody else are different things to roles, whatever protocol they are asked in. */
const families = { openai: `${provider}accounts/OpenAI/`, others: `${provider}accounts/MaaS/` } as const

const operations: Readonly<Record<CallKind, string>> = {
  chat: 'deployments/chat/completions/action',
  completion: 'deployments/completions/action',
  embed: 'deployments/embeddings/action',
  image: 'images/generations/action',
  'image-edit': 'images/edits/action',
  'inference-image': 'images/generations/action',
  'image-embed': 'images/embeddings/action',
  speech: 'deployments/audio/action',
  transcribe: 'deployments/audio/action',
  translate: 'deployments/audio/action',
  moderate: 'deployments/moderations/action',
  rerank: 'deployments/rerank/action',
}

const actions = {
  openai: nameOperations(families.openai),
  others: nameOperations(families.others),
} as const

/** To ask a model of that publisher. */
export function inferenceAction(kind: CallKind, format: string): string {
  return actions[format === 'OpenAI' ? 'openai' : 'others'][kind]
}

/** To read what the data plane tells of deployments and models. */
export const listActions = {
  models: `${families.openai}models/read`,
  deployments: `${families.openai}deployments/read`,
} as const

/** To read what one deployment is. */
export function infoAction(format: string): string {
  return `${format === 'OpenAI' ? families.openai : families.others}models/read`
}

/** Of a stateful API of OpenAI: `files/read` and the like. */
export function openaiAction(name: string): string {
  return families.openai + name
}

/** Of Content Safety: `text:analyze/action` and the like. */
export function contentSafetyAction(name: string): string {
  return `${provider}accounts/ContentSafety/${name}`
}

function nameOperations(family: string): Readonly<Record<CallKind, string>> {
  return Object.fromEntries(Object.entries(operations).map(([kind, name]) => [kind, family + name])) as Record<
    CallKind,
    string
  >
}
