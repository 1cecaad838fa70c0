import type { z } from 'zod'
import type { PassCall, PassKind } from '../../core/call.ts'
import { Fault } from '../../core/fault.ts'
import type { JsonObject } from '../../core/json.ts'
import { spliceModel } from '../../core/text/splice-model.ts'
import { writeOpenAIFault, writeOpenAIStreamFault } from '../faults/openai-fault.ts'
import { readOpenAIFault } from '../faults/openai-upstream-fault.ts'
import { readBody } from '../read-body.ts'
import type { CallInput, ClientEnd, FormRules, ServerEnd, ServerRoute } from '../wire.ts'

/**
 * The ends of protocols that are passed on: a request is judged and goes to an upstream of the same protocol with nothing but its
 * model changed, and what comes back goes to the caller as it is.
 */

export type PassOptions = {
  readonly wire: string
  readonly kind: PassKind
  readonly routes: readonly ServerRoute[]
  /** Of a JSON body; absent where only a form is taken. */
  readonly schema?: z.ZodType | undefined
  readonly form?: FormRules | undefined
  /** The deployment the request names. */
  readonly readDeployment?: (input: CallInput) => string
  /** The body to pass on, where that may be another than the one that came. */
  readonly pickBody?: (input: CallInput) => JsonObject
  readonly writeFault?: ServerEnd['writeFault']
  readonly writeStreamFault?: ServerEnd['writeStreamFault']
}

/** A server end whose calls are passed on. Faults have OpenAI's shape when the options say nothing else. */
export function passServer(options: PassOptions): ServerEnd {
  const { wire, kind, schema, readDeployment = passDeployment } = options
  return {
    wire,
    kind,
    routes: options.routes,
    form: options.form,
    readCall(input): PassCall {
      const base = { kind, stream: false, includeUsage: false } as const
      if (input.form) return { ...base, deployment: readDeployment(input), form: input.form }
      if (!schema) throw notForm(input.header('content-type'))
      const body = options.pickBody?.(input) ?? input.body
      readBody(schema, body)
      const text = body === input.body ? input.text : JSON.stringify(body)
      return { ...base, deployment: readDeployment(input), source: { wire, text, body } }
    },
    writeResult: refuseResult,
    openStream: refuseResult,
    writeFault: options.writeFault ?? writeOpenAIFault,
    writeStreamFault: options.writeStreamFault ?? writeOpenAIStreamFault,
  }
}

/** A client end of the same protocol. Forms do not come this far: they are passed on as they are. */
export function passClient(wire: string, kind: PassKind, readFault = readOpenAIFault): ClientEnd {
  return {
    wire,
    kind,
    writeCall({ source }, model) {
      if (source?.wire !== wire) throw new TypeError(`a ${kind} call of another protocol cannot be passed on`)
      return { text: spliceModel(source.text, source.body, model) }
    },
    readResult: refuseResult,
    readEvents: refuseResult,
    readFault,
  }
}

function refuseResult(): never {
  throw new TypeError('what is passed on has no canonical form')
}

function notForm(contentType: string | null): Fault {
  const given = contentType === null ? 'none' : JSON.stringify(contentType.slice(0, 64))
  return new Fault(
    'invalid-request',
    `Invalid value for header 'Content-Type': got ${given}, expected "multipart/form-data".`,
    {
      param: 'content-type',
    },
  )
}

/** The path names the deployment, or else the body, or else the header: a form may hold its model after its files. */
function passDeployment(input: CallInput): string {
  const { model } = input.body
  const named =
    input.pathDeployment ?? (typeof model === 'string' && model !== '' ? model : undefined) ?? headerModel(input)
  if (named !== undefined) return named
  throw new Fault(
    'invalid-request',
    "Invalid value for 'model': a deployment name is required in the request body, or as header x-ms-model-mesh-model-name.",
    { param: 'model' },
  )
}

function headerModel(input: CallInput): string | undefined {
  return input.header('x-ms-model-mesh-model-name') || undefined
}
