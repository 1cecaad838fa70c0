import { Fault } from '../../src/core/fault.ts'
import { type FaultCode, faultCodes } from '../../src/core/fault-codes.ts'
import { isJsonObject } from '../../src/core/json.ts'
import { anthropicMessagesServer } from '../../src/wire/anthropic-messages/server.ts'
import { writeInferenceFault } from '../../src/wire/azure-inference/fault.ts'
import { writeOpenAIFault } from '../../src/wire/faults/openai-fault.ts'
import { renderTable } from './compatibility.ts'

/** docs/reference/errors.md: every way a request can end badly, as each surface says it and as clients act on it. */

const surfaces = [
  ['Azure OpenAI', writeOpenAIFault],
  ['Inference', writeInferenceFault],
  ['Messages', anthropicMessagesServer.writeFault],
] as const

/** Not on the data plane: seen at start and by the management API. */
const elsewhere: ReadonlySet<FaultCode> = new Set(['state-unusable', 'conflict', 'insufficient-quota'])

/** What has happened, in a line each: a new code has to be explained here. */
const meanings: Readonly<Record<Exclude<FaultCode, 'state-unusable' | 'conflict' | 'insufficient-quota'>, string>> = {
  'invalid-json': 'the body is not a JSON object',
  'invalid-request': 'a field is missing, of a wrong type or out of range, or fields do not go together',
  'extra-parameters': 'the body has keys that the API does not define, and `extra-parameters` does not allow them',
  'unsupported-value': 'the model or its backend cannot do what a field asks for',
  'no-model': 'the request names no deployment and there are several',
  'deployment-not-found': 'there is no deployment of that name',
  'operation-not-supported': 'the deployment has another kind of model',
  'context-length-exceeded': 'prompt and answer do not fit',
  'content-filtered': 'a content filter keeps the prompt back; the body says which category',
  'unknown-policy': '`x-policy-id` names no content filter policy that a call may choose',
  'api-version-missing': 'the query has no `api-version`',
  'api-version-invalid': 'the `api-version` is none',
  'not-found': 'there is no such route',
  'method-not-allowed': 'the route takes other methods, which `Allow` lists',
  'body-too-large': 'the request is larger than the server accepts',
  unauthorized: 'the key or token is missing or wrong, or a role is missing, which the message names',
  forbidden: 'the key may not do this, or not from this address',
  'deployment-paused': 'the deployment has been paused by its operator',
  'model-retired': 'the model version of the deployment has been retired',
  'exceeds-capacity': 'the request needs more than the limit lets through at once, however long one waits',
  'budget-exhausted': "the key's allowance for the day or month is used up",
  'rate-limited': 'too much has been asked for in too short a time',
  'upstream-rejected': 'the backend refuses the request; it is handed on with its own 4xx status',
  'upstream-misconfigured': 'the backend refuses our credential or does not know the model: for the operator to mend',
  'upstream-failed': 'the backend answered with an error of its own, or with nothing usable',
  'upstream-unavailable': 'the backend cannot be reached, or says that it is not available',
  'upstream-timeout': 'the backend did not answer in time',
  'upstream-busy': 'all connections to the backend are in use',
  'breakers-open': 'every backend has failed repeatedly and is being left alone',
  'filter-unavailable': 'a content filter could not run, and its policy lets nothing through unfiltered',
  'identity-unavailable': 'a token cannot be verified, since the keys of its issuer cannot be had',
  'engine-busy': 'the queue of the built-in engine is full',
  'engine-unavailable': 'the built-in model is being loaded or could not be',
  'storage-unavailable': 'where files are kept cannot be reached or is full',
  'client-gone': 'the caller hung up; nobody reads this answer',
  internal: 'a bug of ours',
}

export function renderErrors(): string {
  const codes = (Object.keys(faultCodes) as FaultCode[]).filter((code) => !elsewhere.has(code))
  const rows = codes.map((code) => [
    `\`${code}\``,
    meanings[code as keyof typeof meanings],
    ...surfaces.map(([, write]) => describeFault(code, write)),
    describeRetry(code),
    faultCodes[code].exposure === 'safe' ? 'as written' : 'generic, with the request id',
  ])
  const heads = ['fault', 'what has happened', ...surfaces.map(([name]) => name), 'repeat?', 'message']
  return [
    '# Errors',
    'Made by `node bin/ponto.mjs --run-script docs/generate/generate.ts` from `src/core/fault-codes.ts` and the code that writes errors. Do not edit; a test holds it to the code.',
    'A cell of a surface is the HTTP status and the `error.code` (`error.type` under Messages) of the body. `x-ms-error-code` repeats the code where there is one.',
    renderTable(heads, rows),
    '## When clients come back',
    [
      '- **no**: the same request would end the same way. `x-should-retry: false` says so to the clients of OpenAI and Anthropic, which otherwise repeat every 408, 409, 429 and 5xx; no `Retry-After` is sent, since azure-core repeats any status that carries one.',
      '- **yes**: clients repeat it by their own rules. 429 always says when, in three spellings: `Retry-After` (seconds, rounded up), `retry-after-ms` and `x-ms-retry-after-ms`; 503 does when it is known.',
      '- A wait of more than a minute carries `x-should-retry: false` too: clients of OpenAI do not wait that long but come back at once instead.',
      '- 409 is never the answer to a race between callers.',
      '- Once a stream has begun its status is sent; a failure is then one last event `data: {"error":{...}}` (Messages: `event: error`), without a terminator.',
      '- Clients make three or four attempts by themselves and send no idempotency key. Another backend of the deployment is tried first where there is one.',
    ].join('\n'),
    '',
  ].join('\n\n')
}

function describeFault(code: FaultCode, write: typeof writeOpenAIFault): string {
  const { status, body } = write(new Fault(code, 'why'), 'id')
  const { error } = JSON.parse(body)
  const word = isJsonObject(error) ? (error.code ?? error.type) : 'detail'
  return `${status} \`${word}\``
}

/** Faults of backends may be told when; without that only 429 makes something up. */
function describeRetry(code: FaultCode): string {
  if (!faultCodes[code].repeatable) return 'no'
  const { headers } = writeOpenAIFault(new Fault(code, 'why', { retryAfterMs: 1000 }), 'id')
  return headers['retry-after'] === undefined ? 'yes' : 'yes, and when'
}
