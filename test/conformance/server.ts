import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { azureHostNames } from '../../src/boot/server-names.ts'
import { makeTempFolder, removeFolder, type ServerProcess, startServer } from '../support/server-process.ts'
import { askedTerm, saidTerm, threat, writeFiltered, writeFilterSections } from './filters.ts'
import { listManagementVariables, startIssuer } from './identity.ts'
import { retryAfterMs, startUpstream } from './upstream.ts'

export type ConformanceServer = {
  /** Everything a client's process is given: what `ponto env` prints, and where the upstream tells what it saw. */
  readonly environment: Readonly<Record<string, string>>
  stop(): Promise<void>
}

/** The server's certificate has Azure's host names for it as well; whoever calls by them has to resolve them to this machine. */
const resourceName = 'conformance'

/** Deployments by name, and the model that each asks the upstream for. The vendors' clients call them in any case. */
const deployments = {
  'Relay-Chat': 'plain',
  'Relay-Gated': 'gated',
  'Relay-Tools': 'tools',
  'Relay-Limited': 'limited',
  'Relay-Refusing': 'refusing',
  'Relay-Filtering': 'filtering',
  'Relay-Failing': 'failing',
  'Relay-Silent': 'silent',
  'Relay-Cut': 'cut',
  'Relay-Endless': 'endless',
  'Relay-Untidy': 'untidy',
  'Relay-Floats': 'float-only',
  'Relay-Literal': 'literal',
} as const

/**
 * A server as its users run it: started by `ponto up` with HTTPS and its own authority, upstream deployments from a
 * YAML file, and `Mistral-large`, the built-in model, made with the command line.
 */
export async function startConformanceServer(): Promise<ConformanceServer> {
  const upstream = await startUpstream()
  const issuer = await startIssuer()
  const folder = makeTempFolder()
  const config = join(folder, 'ponto.yaml')
  writeFileSync(config, issuer.section + writeConfig(upstream.url))
  const ponto = await startServer({
    dataFolder: join(folder, 'data'),
    args: ['--config', config, '--name', resourceName],
  })
  const stop = async (): Promise<void> => {
    await ponto.stop()
    await upstream.stop()
    await issuer.stop()
    removeFolder(folder)
  }
  try {
    await runPonto(ponto, 'deployment', 'create', 'Mistral-large', '--model', 'builtin-nano')
    const variables = readExports(await runPonto(ponto, 'env', '--shell', 'posix'))
    const own = {
      CONFORMANCE_UPSTREAM: upstream.url,
      CONFORMANCE_RETRY_AFTER_MS: String(retryAfterMs),
      CONFORMANCE_AZURE_HOSTS: azureHostNames(resourceName).join(','),
      CONFORMANCE_ASKED_TERM: askedTerm,
      CONFORMANCE_SAID_TERM: saidTerm,
      CONFORMANCE_THREAT: threat,
      ...(await listManagementVariables(ponto, issuer)),
    }
    return { environment: { ...variables, ...own }, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/**
 * Deployments under limits, a set for each runtime, since limits are for all callers together. A unit of `tiny` is worth ten tokens a
 * minute, so that the first answer uses up what is provisioned.
 */
function writeLimited(upstreamUrl: string): string {
  const backends = [{ url: `${upstreamUrl}/v1`, model: 'plain' }]
  const rate = (key: string, renewalPeriod: number, count: number) => [{ key, renewalPeriod, count }]
  const provisioned = {
    model: { format: 'Ponto', name: 'tiny' },
    sku: { name: 'ProvisionedManaged', capacity: 1 },
    backends,
  }
  const sets = ['py', 'js'].flatMap((runtime) => [
    { name: `Paced-${runtime}`, model: { name: 'm' }, rateLimits: rate('request', 1, 1), backends },
    { name: `Narrow-${runtime}`, model: { name: 'm' }, rateLimits: rate('token', 60, 100), backends },
    { name: `Full-${runtime}`, ...provisioned },
    { name: `Spilling-${runtime}`, ...provisioned, spilloverDeploymentName: 'Relay-Chat' },
    { name: `Paused-${runtime}`, model: { name: 'm' }, deploymentState: 'Paused', backends },
  ])
  return sets.map((set) => `  - ${JSON.stringify(set)}\n`).join('')
}

/** Answers nothing until its operator says so: what waits for it waits. */
function writePaused(upstreamUrl: string): string {
  const backends = [{ url: `${upstreamUrl}/v1`, model: 'plain' }]
  return `  - ${JSON.stringify({ name: 'Relay-Paused', model: { name: 'm' }, deploymentState: 'Paused', backends })}\n`
}

const models = [
  { format: 'Ponto', name: 'tiny', skus: [{ name: 'ProvisionedManaged', inputTokensPerMinute: 10, outputWeight: 4 }] },
]

/** A pool that no deployment draws on. */
const quota = [{ format: 'OpenAI', model: 'conformance-quota', sku: 'GlobalStandard', limit: 3 }]

function writeConfig(upstreamUrl: string): string {
  const entry = (name: string, backend: object): string =>
    `  - name: ${name}\n    model: { name: gpt-4o, version: "2024-08-06" }\n    backends: [${JSON.stringify(backend)}]\n`
  const plain = Object.entries(deployments).map(([name, model]) => entry(name, { url: `${upstreamUrl}/v1`, model }))
  const azure = entry('Relay-Azure', { url: upstreamUrl, protocol: 'azure-openai', model: 'plain' })
  const anthropic = entry('Relay-Anthropic', { url: upstreamUrl, protocol: 'anthropic', model: 'plain' })
  const foundry = entry('Relay-Foundry', { url: upstreamUrl, protocol: 'foundry', model: 'plain' })
  const responses = entry('Relay-Responses', { url: `${upstreamUrl}/v1`, model: 'plain', chatApis: ['responses'] })
  const own = [writeLimited(upstreamUrl), writePaused(upstreamUrl), writeFiltered(upstreamUrl)]
  const entries = [...plain, azure, anthropic, foundry, responses, ...own]
  return `models: ${JSON.stringify(models)}\nquota: ${JSON.stringify(quota)}\n${writeFilterSections()}deployments:\n${entries.join('')}`
}

async function runPonto(ponto: ServerProcess, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await ponto.run(args)
  if (code !== 0) throw new Error(`ponto ${args.join(' ')} ended with ${code}:\n${stderr}${ponto.errors()}`)
  return stdout
}

/** The variables a shell has after `eval "$(ponto env)"`, and what it takes to find programs. */
function readExports(exports: string): Record<string, string> {
  const base = { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '' }
  const output = execFileSync('sh', ['-c', 'eval "$1"; env -0', 'sh', exports], { env: base, encoding: 'utf8' })
  const entries = output.split('\0').filter(Boolean)
  return Object.fromEntries(
    entries.map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]),
  )
}
