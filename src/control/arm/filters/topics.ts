import type { Json, JsonObject } from '../../../core/json.ts'
import type { Held } from '../../../snapshot/filter/collection.ts'
import type { TopicSpec } from '../../../snapshot/filter/topic-spec.ts'
import type { Answer } from '../../http/answer.ts'
import { isDryRun } from '../../http/dry-run.ts'
import { refuseDocument } from '../../http/errors.ts'
import { readJsonBody } from '../../http/read-body.ts'
import type { Account } from '../../resources/accounts.ts'
import { type FindOptions, findAccount, handlersOf } from '../accounts/find-account.ts'
import { type ArmRoute, type ArmVisit, isSameName, ofAccount, paramOf, route } from '../http/arm-route.ts'
import { refuseMissing, tellInArmWords } from '../http/errors.ts'
import { pageOf } from '../http/page.ts'
import { childHead } from '../http/resource-id.ts'
import { readEnvelope } from './blocklists.ts'
import { removeHeld, timesOf } from './policies.ts'

const path = `${ofAccount}/raiTopics`
const one = `${path}/{topic}`
const actions = 'accounts/raiTopics'
const shown = ['topicId', 'status', 'failedReason', 'createdAt', 'lastModifiedAt'] as const

/** Topics of the operator's own. Their examples are `properties.ponto.examples`: nothing is fetched from a storage account. */
export function listTopicRoutes(options: FindOptions): readonly ArmRoute[] {
  const find = (visit: ArmVisit) => findAccount(options, visit)
  return [
    route('GET', path, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return pageOf(
        visit,
        account.routes.filters.topics.list(),
        ({ spec }) => spec.name,
        (held) => viewTopic(account, held),
      )
    }),
    route('GET', one, `${actions}/read`, async (_, visit) => {
      const account = await find(visit)
      return answerWith(account, 200, requireTopic(account, visit))
    }),
    route('PUT', one, `${actions}/write`, async (request, visit) => {
      const body = await readJsonBody(request)
      const account = await find(visit)
      const name = paramOf(visit, 'topic')
      const { topics } = handlersOf(account).filters
      const { status, body: written } = await tellInArmWords(nameOfField, () =>
        topics.change(request, name, (current) => topicDocument(body, name, current)),
      )
      if (isDryRun(request)) return { status, body: written }
      return answerWith(account, status, requireTopic(account, visit))
    }),
    route(
      'DELETE',
      one,
      `${actions}/delete`,
      async (request, visit) => {
        const account = await find(visit)
        const name = paramOf(visit, 'topic')
        const { topics } = handlersOf(account).filters
        return removeHeld(request, account.routes.filters.topics.get(name), () => topics.remove(request, name, ''))
      },
      { isLong: true },
    ),
  ]
}

function topicDocument(body: JsonObject, name: string, current: TopicSpec | undefined): JsonObject {
  const fields = ['topicName', 'description', 'sampleBlobUrl', 'ponto', ...shown]
  const { tags, topicName, description, sampleBlobUrl, ponto } = readEnvelope(body, fields)
  if (tags !== undefined) throw refuseDocument([{ path: ['tags'], text: 'a topic has none here; leave them away' }])
  if (topicName !== undefined && !isSameName(String(topicName), name)) {
    const text = `expected ${JSON.stringify(name)} as in the path, or nothing`
    throw refuseDocument([{ path: ['topicName'], text }])
  }
  if (sampleBlobUrl !== undefined) {
    const text = 'nothing is fetched from there; give sentences as properties.ponto.examples'
    throw refuseDocument([{ path: ['sampleBlobUrl'], text }])
  }
  const examples = (ponto as { readonly examples?: Json } | undefined)?.examples ?? current?.examples
  return {
    ...(description !== undefined && { description }),
    ...(examples !== undefined && { examples: examples as Json }),
  }
}

function requireTopic(account: Account, visit: ArmVisit): Held<TopicSpec> {
  const name = paramOf(visit, 'topic')
  const found = account.routes.filters.topics.get(name)
  return found ?? refuseMissing('accounts/raitopics', `${account.spec.name}/${name}`, account.spec.resourceGroup)
}

function answerWith(account: Account, status: number, held: Held<TopicSpec>): Answer {
  return { status, body: viewTopic(account, held), headers: { etag: `"${held.etag}"` } }
}

function viewTopic(account: Account, held: Held<TopicSpec>): object {
  const { name, description, examples } = held.spec
  const times = timesOf(held)
  return {
    ...childHead(account.spec, 'raitopics', times),
    properties: {
      topicId: name,
      topicName: name,
      description,
      status: 'Succeeded',
      createdAt: times.createdAt,
      lastModifiedAt: times.updatedAt,
      ...(examples.length > 0 && { ponto: { examples } }),
    },
  }
}

function nameOfField(field: string): string {
  if (/^(tags|name|properties|If-None-Match|dryRun)\b/.test(field)) return field
  return field.startsWith('examples') ? `properties.ponto.${field}` : `properties.${field}`
}
