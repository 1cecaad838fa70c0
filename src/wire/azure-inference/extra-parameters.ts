import { Fault } from '../../core/fault.ts'
import { type JsonObject, pickUnknown } from '../../core/json.ts'
import type { CallInput } from '../wire.ts'

/**
 * What happens to body keys the API does not define, by the request header `extra-parameters`: refused (the default), dropped, or
 * passed to the model. The answer is the body to read.
 */
export function applyExtraParameters(input: CallInput, known: ReadonlySet<string>): JsonObject {
  const mode = (input.header('extra-parameters') ?? 'error').trim().toLowerCase()
  if (mode !== 'error' && mode !== 'drop' && mode !== 'pass-through') {
    throw new Fault(
      'invalid-request',
      `Invalid value for header 'extra-parameters': got ${JSON.stringify(mode)}, expected one of "error", "drop", "pass-through".`,
      { param: 'extra-parameters' },
    )
  }
  const extra = pickUnknown(input.body, known)
  if (!extra || mode === 'pass-through') return input.body
  if (mode === 'drop') {
    const kept: JsonObject = {}
    for (const key in input.body) if (known.has(key)) kept[key] = input.body[key] as JsonObject
    return kept
  }
  const keys = Object.keys(extra)
  throw new Fault(
    'extra-parameters',
    `Extra parameters [${keys.map((key) => `'${key}'`).join(', ')}] are not allowed when extra-parameters is not set or set to be 'error'. Set extra-parameters to 'pass-through' to pass to the model.`,
    { keys },
  )
}

/** The deployment: body `model`, else the header of the model mesh; empty when the request names none. */
export function readModelName(input: CallInput): string {
  const { model } = input.body
  if (typeof model === 'string' && model !== '') return model
  return input.header('x-ms-model-mesh-model-name') ?? input.header('x-ms-model-mesh-model-id') ?? ''
}
