import type { ModelCall } from '../core/call.ts'
import type { Event } from '../core/event.ts'
import { Fault, type FaultDetail } from '../core/fault.ts'
import type { FaultCode } from '../core/fault-codes.ts'
import type { Usage } from '../core/usage/usage.ts'

/**
 * What the server and its engine process say to each other. Plain values only (structured clone); every message about a call
 * carries its id. The server sends `load` first, the child answers `ready` or `load-failed`; after that, calls.
 */

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type LoadOptions = {
  readonly modelFile: string
  /** Tokens per sequence, prompt and answer together. */
  readonly contextSize: number
  /** Sequences evaluated side by side. */
  readonly slots: number
  readonly threads: number
  /** Used when the caller names none. */
  readonly defaultTemperature: number
}

export type ModelInfo = {
  readonly contextSize: number
  readonly vocabularySize: number
  readonly embeddingSize: number
  readonly hasChatTemplate: boolean
}

export type ParentMessage =
  | { readonly type: 'load'; readonly options: LoadOptions }
  | { readonly type: 'run'; readonly id: number; readonly call: ModelCall }
  | { readonly type: 'abort'; readonly id: number }
  | { readonly type: 'ping' }

export type ChildMessage =
  | { readonly type: 'ready'; readonly model: ModelInfo }
  | { readonly type: 'load-failed'; readonly reason: string }
  | { readonly type: 'log'; readonly level: LogLevel; readonly text: string }
  | { readonly type: 'pong' }
  | CallMessage

export type CallMessage =
  | { readonly type: 'events'; readonly id: number; readonly events: readonly Event[] }
  | { readonly type: 'vectors'; readonly id: number; readonly vectors: readonly Float32Array[]; readonly usage: Usage }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'fault'; readonly id: number; readonly fault: FaultMessage }

export type FaultMessage = { readonly code: FaultCode; readonly message: string; readonly detail: FaultDetail }

/** A Fault as a plain value. Its cause stays behind: it need not be plain, and its text is in the message. */
export function packFault(fault: Fault): FaultMessage {
  return { code: fault.code, message: fault.message, detail: { ...fault.detail, cause: undefined } }
}

export function unpackFault(message: FaultMessage): Fault {
  return new Fault(message.code, message.message, message.detail)
}
