import { Fault } from '../../../core/fault.ts'
import { isJsonObject, type Json, type JsonObject } from '../../../core/json.ts'
import type { Answer } from '../../http/answer.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { handlersOf } from '../accounts/find-account.ts'
import { describeError, tellInArmWords } from '../http/errors.ts'
import { nameInArm, putDocument } from './to-document.ts'

const mostDeployments = 100

/** Whether deployments that are described could be made, each judged as if it were: by the same rules, and without making it. */
export async function evaluatePolicies(account: Account, request: Request): Promise<Answer> {
  const { deployments } = await readJsonBody(request)
  if (!Array.isArray(deployments) || deployments.length > mostDeployments) {
    throw refuseDocument([{ path: ['deployments'], text: `expected a list of at most ${mostDeployments}` }])
  }
  const results: [string, object][] = []
  for (const [index, given] of deployments.entries()) {
    const { name, ...body } = readOne(given, index)
    results.push([name, await judge(account, name, body)])
  }
  return { status: 200, body: { results: Object.fromEntries(results) } }
}

function readOne(given: Json, index: number): JsonObject & { name: string } {
  if (isJsonObject(given) && typeof given.name === 'string') return given as JsonObject & { name: string }
  throw refuseDocument([{ path: ['deployments', index, 'name'], text: 'missing, expected a string' }])
}

async function judge(account: Account, name: string, body: JsonObject): Promise<object> {
  const { defaultPolicy } = account.routes
  const trial = new Request('http://localhost/?dryRun=true')
  try {
    await tellInArmWords(nameInArm, () =>
      handlersOf(account).deployments.change(trial, name, (current) =>
        putDocument(body, current, { apiVersion: '2026-05-15-preview', defaultPolicy }),
      ),
    )
    return { evaluationResult: 'Compliant' }
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    return { evaluationResult: 'NonCompliant', error: describeError(error, '') }
  }
}
