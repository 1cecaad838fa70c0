/** What clients ask a cloud about itself. `base` is the address that the server was reached at. */

const graph = 'https://graph.microsoft.com/'

/** `GET /metadata/endpoints`: where the parts of this cloud are. Versions differ in their shape. */
export function describeCloud(base: string, apiVersion: string): object {
  const authentication = {
    loginEndpoint: base,
    audiences: [`${base}/`, 'https://management.azure.com/', 'https://management.core.windows.net/'],
    // Tools take a cloud with a tenant of its own for one that stands in a rack, and refuse it.
    tenant: 'common',
    identityProvider: 'AAD',
  }
  if (apiVersion === '1.0' || apiVersion < '2018') {
    return { galleryEndpoint: `${base}/`, graphEndpoint: graph, portalEndpoint: `${base}/`, authentication }
  }
  const { hostname } = new URL(base)
  const cloud = {
    name: 'Ponto',
    portal: base,
    authentication,
    resourceManager: `${base}/`,
    graph,
    graphAudience: graph,
    // Tools read who they are from a token for it, and the server's own address is the one that tokens are issued for.
    microsoftGraphResourceId: `${base}/`,
    gallery: `${base}/`,
    batch: `${base}/`,
    media: `${base}/`,
    vmImageAliasDoc: `${base}/`,
    sqlManagement: `${base}/`,
    activeDirectoryDataLake: `${base}/`,
    // Must be there, though no service of this cloud is below these names.
    suffixes: { storage: hostname, keyVaultDns: `vault.${hostname}` },
  }
  return apiVersion < '2022' ? [cloud] : cloud
}

/** `/{tenant}/v2.0/.well-known/openid-configuration`, and without `v2.0`. */
export function describeIssuer(base: string, tenant: string, issuer: string): object {
  return {
    issuer,
    token_endpoint: `${base}/${tenant}/oauth2/v2.0/token`,
    authorization_endpoint: `${base}/${tenant}/oauth2/v2.0/authorize`,
    jwks_uri: `${base}/${tenant}/discovery/v2.0/keys`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
    response_types_supported: ['token'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['https://cognitiveservices.azure.com/.default', 'https://management.azure.com/.default'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'nbf', 'oid', 'tid', 'appid', 'azp'],
    tenant_region_scope: null,
    cloud_instance_name: new URL(base).hostname,
  }
}

/** `/common/discovery/instance`: whether an authority is one of this cloud's, which clients ask before they trust it. */
export function describeInstance(base: string, tenant: string): object {
  const { host } = new URL(base)
  return {
    tenant_discovery_endpoint: `${base}/${tenant}/v2.0/.well-known/openid-configuration`,
    'api-version': '1.1',
    metadata: [{ preferred_network: host, preferred_cache: host, aliases: [host] }],
  }
}
