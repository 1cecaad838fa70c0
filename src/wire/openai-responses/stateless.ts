import { Fault } from '../../core/fault.ts'
import type { RequestBody } from './schema.ts'

/**
 * What only a server that keeps responses can do. Each is refused with the way out, which is the same for all: the whole conversation in
 * `input`. Throws Fault `invalid-request`.
 */
export function refuseKept(request: RequestBody): void {
  const { previous_response_id: previous, conversation, background, store } = request
  if (isGiven(previous)) {
    refuse('previous_response_id', previous, `responses are not kept, so there is none to go on from. ${wholeInput}`)
  }
  if (isGiven(conversation)) {
    const id = typeof conversation === 'string' ? conversation : conversation.id
    refuse('conversation', id, `conversations are not kept. ${wholeInput}`)
  }
  if (background) {
    const why = 'a response that is made in the background has to be kept until it is asked for. '
    refuse('background', true, `${why}Leave it out and read the answer, whole or with 'stream', from this request`)
  }
  if (store) refuse('store', true, 'responses are not kept. Leave it out, or set it to false')
}

const wholeInput =
  "Send the whole conversation as 'input': what was said before, with the items of every answer's 'output' as they came"

/** An item that stands for one that was kept. */
export function refuseReference(id: string, index: number): never {
  return refuse(
    `input[${index}].id`,
    id,
    `items are not kept, so one cannot be referred to. ${wholeInput}. Clients that refer to items by themselves send them whole with 'store' set to false`,
  )
}

function isGiven<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined
}

function refuse(param: string, value: string | boolean, why: string): never {
  const given = typeof value === 'string' ? JSON.stringify(value.slice(0, 128)) : value
  throw new Fault('invalid-request', `Invalid value for '${param}': got ${given}, but ${why}.`, {
    param,
    vendorCode: 'unsupported_value',
  })
}
