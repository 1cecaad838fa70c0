import type { DataFolder } from './folder/data-folder.ts'
import { quotePath } from './folder/private-file.ts'

/** The newest api-version of Azure OpenAI that is not a preview. */
export const azureOpenAiVersion = '2024-10-21'
export const inferenceVersion = '2024-05-01-preview'

export type ClientAccess = {
  /** Base URL without a trailing slash. */
  readonly url: string
  readonly key: string
  /** The data folder whose authority clients have to trust; absent when the operator's own certificate is served, or none. */
  readonly trust?: DataFolder | undefined
}

export type Variable = readonly [name: string, value: string]

/**
 * Variables that the vendor's clients and samples read: where the endpoint is, the key, and whom to trust. `OPENAI_BASE_URL` is
 * not among them: the JavaScript client refuses it next to `AZURE_OPENAI_ENDPOINT`.
 */
export function listClientVariables(access: ClientAccess): Variable[] {
  return [
    ['AZUREAI_ENDPOINT_URL', `${access.url}/models`],
    ['AZUREAI_ENDPOINT_KEY', access.key],
    ['AZURE_OPENAI_ENDPOINT', access.url],
    ['AZURE_OPENAI_API_KEY', access.key],
    ['OPENAI_API_VERSION', azureOpenAiVersion],
    ...(access.trust ? listTrustVariables(access.trust) : []),
  ]
}

/** One set for all languages: Node adds to its own roots, the others replace theirs, so they get the system's roots with ours. */
export function listTrustVariables(folder: DataFolder): Variable[] {
  return [
    ['NODE_EXTRA_CA_CERTS', folder.caFile],
    ['SSL_CERT_FILE', folder.caBundle],
    ['REQUESTS_CA_BUNDLE', folder.caBundle],
    ['JAVA_TOOL_OPTIONS', `-Djavax.net.ssl.trustStore=${folder.trustStore}`],
  ]
}

export const shells = ['posix', 'fish', 'powershell'] as const
export type Shell = (typeof shells)[number]

/** The line that sets a variable in a shell, safe for any value. */
export function formatExport([name, value]: Variable, shell: Shell): string {
  switch (shell) {
    case 'posix':
      return `export ${name}=${quotePath(value)}`
    case 'fish':
      return `set -gx ${name} '${value.replace(/[\\']/g, '\\$&')}'`
    case 'powershell':
      return `$env:${name} = '${value.replaceAll("'", "''")}'`
  }
}

/** The shell a person most likely types into. */
export function guessShell(shellPath: string | undefined, platform: NodeJS.Platform): Shell {
  if (!shellPath) return platform === 'win32' ? 'powershell' : 'posix'
  return /fish$/.test(shellPath) ? 'fish' : 'posix'
}
