import { openaiAction } from '../../core/access/data-actions.ts'
import type { ServiceRoute } from '../../core/service-route.ts'

/** Where the Assistants API is found: dated, and under v1. */
export const assistantSurfaces: readonly { readonly base: string; readonly apiVersion: ServiceRoute['apiVersion'] }[] =
  [
    { base: '/openai', apiVersion: 'required' },
    { base: '/openai/v1', apiVersion: 'optional' },
  ]

export const threadActions = {
  read: openaiAction('assistants/threads/read'),
  write: openaiAction('assistants/threads/write'),
  delete: openaiAction('assistants/threads/delete'),
  readRun: openaiAction('assistants/threads/runs/read'),
  writeRun: openaiAction('assistants/threads/runs/write'),
} as const
