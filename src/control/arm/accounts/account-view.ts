import type { JsonObject } from '../../../core/json.ts'
import type { Account, DeletedAccount, ResourceRecord } from '../../resources/accounts.ts'
import { provider } from '../http/arm-route.ts'
import { accountId, systemData } from '../http/resource-id.ts'

/** Where an account is reached, and its parts by the names that the vendor's tools look for. */
export type Endpoints = { readonly endpoint: string; readonly endpoints: Readonly<Record<string, string>> }

/** An account as the vendor's clients read it. */
export function viewArmAccount(record: ResourceRecord, endpoints: Endpoints): object {
  const { spec } = record
  return {
    id: accountId(spec),
    type: `${provider}/accounts`,
    ...viewEnvelope(record),
    properties: { provisioningState: 'Succeeded', ...endpoints, ...viewProperties(record) },
  }
}

export function viewDeletedAccount(account: DeletedAccount): object {
  const { spec, deletedAt } = account
  const { subscriptionId, location, resourceGroup, name } = spec
  return {
    id: `/subscriptions/${subscriptionId}/providers/${provider}/locations/${location}/resourceGroups/${resourceGroup}/deletedAccounts/${name}`,
    type: `${provider}/locations/resourceGroups/deletedAccounts`,
    ...viewEnvelope(account),
    properties: {
      provisioningState: 'Succeeded',
      ...viewProperties(account),
      deletionDate: new Date(deletedAt).toISOString(),
    },
  }
}

function viewEnvelope({ spec, etag, createdAt, updatedAt }: ResourceRecord): object {
  const { name, location, kind, sku, tags, properties } = spec
  const identity = properties.carried?.identity
  return {
    name,
    kind,
    location,
    sku,
    tags,
    etag: `"${etag}"`,
    ...(identity !== undefined && { identity }),
    systemData: systemData(new Date(createdAt).toISOString(), new Date(updatedAt).toISOString()),
  }
}

function viewProperties({ spec, createdAt }: ResourceRecord): object {
  const { carried, publicNetworkAccess, ...properties } = spec.properties
  const { identity, ...rest }: JsonObject = carried ?? {}
  return {
    ...rest,
    ...properties,
    publicNetworkAccess: publicNetworkAccess ?? 'Enabled',
    dateCreated: new Date(createdAt).toISOString(),
    isMigrated: false,
    capabilities: [],
    privateEndpointConnections: [],
  }
}

/** Where it answers somebody who asked at `url`: on the same host, below a path of its own unless it is the server's own. */
export function describeEndpoints({ routes }: Account, { origin }: URL): Endpoints {
  const [known] = routes.readStatus().endpoints
  const path = known === undefined ? '' : new URL(known).pathname.replace(/\/$/, '')
  const endpoint = `${origin}${path}/`
  return {
    endpoint,
    endpoints: {
      'AI Foundry API': endpoint,
      'Azure AI Model Inference API': endpoint,
      'Azure OpenAI Legacy API - Latest moniker': endpoint,
      'Content Safety': endpoint,
      'OpenAI Language Model Instance API': endpoint,
    },
  }
}
