import type { Json, JsonObject } from '../../../core/json.ts'
import type { Held } from '../../../snapshot/filter/collection.ts'
import type { TopicSpec } from '../../../snapshot/filter/topic-spec.ts'
import { refuseDocument } from '../../http/errors.ts'
import { type FindOptions, handlersOf } from '../accounts/find-account.ts'
import { type ArmRoute, isSameName } from '../http/arm-route.ts'
import { heldRoutes, timesOf } from './held-routes.ts'
import { readEnvelope } from './read-envelope.ts'

const shown = ['topicId', 'status', 'failedReason', 'createdAt', 'lastModifiedAt'] as const

/** Topics of the operator's own. Their examples are `properties.ponto.examples`: nothing is fetched from a storage account. */
export function listTopicRoutes(options: FindOptions): readonly ArmRoute[] {
  return heldRoutes<TopicSpec>(options, {
    word: 'raiTopics',
    type: 'raitopics',
    param: 'topic',
    collection: ({ routes }) => routes.filters.topics,
    handlers: (account) => handlersOf(account).filters.topics,
    readDocument: readTopic,
    nameOfField,
    view: viewTopic,
  })
}

/** Judged before what is there is looked at, in the vendor's words. */
function readTopic(body: JsonObject, name: string): (current: TopicSpec | undefined) => JsonObject {
  const fields = ['topicName', 'description', 'sampleBlobUrl', 'ponto', ...shown]
  const { tags, topicName, description, sampleBlobUrl, ponto } = readEnvelope(body, fields)
  if (tags !== undefined) throw refuseDocument([{ path: ['tags'], text: 'a topic has none here; leave them away' }])
  if (topicName !== undefined && !isSameName(String(topicName), name)) {
    const text = `expected ${JSON.stringify(name)} as in the path, or nothing`
    throw refuseDocument([{ path: ['properties', 'topicName'], text }])
  }
  if (sampleBlobUrl !== undefined) {
    const text = 'nothing is fetched from there; give sentences as properties.ponto.examples'
    throw refuseDocument([{ path: ['properties', 'sampleBlobUrl'], text }])
  }
  const given = (ponto as { readonly examples?: Json } | undefined)?.examples
  return (current) => {
    const examples = given ?? current?.examples
    return {
      ...(description !== undefined && { description }),
      ...(examples !== undefined && { examples: examples as Json }),
    }
  }
}

function viewTopic(held: Held<TopicSpec>): object {
  const { name, description, examples } = held.spec
  const { createdAt, updatedAt } = timesOf(held)
  return {
    properties: {
      topicId: name,
      topicName: name,
      description,
      status: 'Succeeded',
      createdAt,
      lastModifiedAt: updatedAt,
      ...(examples.length > 0 && { ponto: { examples } }),
    },
  }
}

function nameOfField(field: string): string {
  if (/^(tags|name|properties|If-None-Match|dryRun)\b/.test(field)) return field
  return field.startsWith('examples') ? `properties.ponto.${field}` : `properties.${field}`
}
