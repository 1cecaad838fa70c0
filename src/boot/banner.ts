import { formatExport, inferenceVersion, listClientVariables, type Shell, type Variable } from './client-environment.ts'
import type { DataFolder } from './folder/data-folder.ts'
import { quotePath } from './folder/private-file.ts'

export type BannerInfo = {
  readonly version: string
  /** The resource's name. */
  readonly name: string
  /** Base URLs without a trailing slash; `http` only when it listens. */
  readonly httpsUrl: string
  readonly httpUrl?: string | undefined
  readonly key: string
  readonly folder: DataFolder
  /** Whether the served certificate comes from the local authority, so that clients have to be told. */
  readonly isLocalCertificate: boolean
  /** A deployment that answers chat, for the snippets. */
  readonly deployment: string
  /** Of a link to the portal that signs in once. */
  readonly portalCode: string
  /** How the command line is called here. */
  readonly command: string
  /** What happened at this start that a person should know. */
  readonly notices: readonly string[]
}

export type BannerStyle = { readonly isColored: boolean; readonly shell: Shell }

/** What `ponto up` prints once it listens: everything a person needs to send the first request, as text to paste. */
export function renderBanner(info: BannerInfo, style: BannerStyle): string {
  const paint = makePaint(style.isColored)
  const heading = (text: string, note: string) => `\n${paint.bold(text)}  ${paint.dim(note)}`
  return [
    `${paint.bold(paint.green('Ponto'))} ${info.version} is ready  ${paint.dim(`resource ${info.name}`)}`,
    ...info.notices.map((notice) => `${paint.yellow('note')} ${notice}`),
    '',
    ...renderFacts(info, paint),
    heading('First, where the client runs', `paste, or: ${evalLine(info.command, style.shell)}`),
    ...renderExports(info, style.shell),
    ...(info.isLocalCertificate ? [heading('Trust', 'set above, by language'), ...renderTrustNotes(info, paint)] : []),
    heading('curl', 'a first question'),
    ...renderCurl(info, style.shell),
    heading('Python', 'pip install azure-ai-inference'),
    ...asScript('python3 -', renderPython(info), style.shell),
    heading('Python', 'pip install openai'),
    ...asScript('python3 -', renderPythonOpenAi(info), style.shell),
    heading('JavaScript', 'npm install openai'),
    ...asScript('node --input-type=module -', renderJavaScript(info), style.shell),
    '',
  ].join('\n')
}

function renderFacts(info: BannerInfo, paint: Paint): string[] {
  const rows: [string, string][] = [
    ['Portal', `${linkToPortal(info)}  (opens once, within 10 minutes)`],
    ['Model inference', `${info.httpsUrl}/models`],
    ['Azure OpenAI', info.httpsUrl],
    ['OpenAI v1', `${info.httpsUrl}/openai/v1/`],
    ...(info.httpUrl ? ([['Plain HTTP', info.httpUrl]] satisfies [string, string][]) : []),
    ['Deployment', info.deployment],
    ['Data folder', info.folder.path],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(([label, value]) => `  ${paint.dim(label.padEnd(width))}  ${paint.cyan(value)}`)
}

/** Over plain HTTP where that stays on this machine: no browser knows the local authority yet. The code is in the fragment, which is not sent and not logged. */
export function linkToPortal({
  httpsUrl,
  httpUrl,
  portalCode,
}: Pick<BannerInfo, 'httpsUrl' | 'httpUrl' | 'portalCode'>): string {
  const isLocal = httpUrl !== undefined && new URL(httpUrl).hostname === 'localhost'
  return `${isLocal ? httpUrl : httpsUrl}/portal/#code=${portalCode}`
}

function evalLine(command: string, shell: Shell): string {
  if (shell === 'fish') return `${command} env --shell fish | source`
  if (shell === 'powershell') return `${command} env --shell powershell | Out-String | Invoke-Expression`
  return `eval "$(${command} env)"`
}

function renderExports(info: BannerInfo, shell: Shell): string[] {
  const trust = info.isLocalCertificate ? info.folder : undefined
  const variables = listClientVariables({ url: info.httpsUrl, key: info.key, trust })
  return shareKey(variables, shell)
}

/** The key is long: the second variable that holds it refers to the first. */
function shareKey(variables: readonly Variable[], shell: Shell): string[] {
  return variables.map(([name, value]) => {
    const first = variables.find(([, other]) => other === value)?.[0]
    if (shell !== 'posix' || first === undefined || first === name) return formatExport([name, value], shell)
    return `export ${name}="$${first}"`
  })
}

function renderTrustNotes(info: BannerInfo, paint: Paint): string[] {
  const rows = [
    ['Node', 'NODE_EXTRA_CA_CERTS'],
    ['Python', 'REQUESTS_CA_BUNDLE and SSL_CERT_FILE'],
    ['Go, .NET, curl', 'SSL_CERT_FILE'],
    ['Java', 'JAVA_TOOL_OPTIONS, or once and for all:'],
    ['', 'keytool -importcert -noprompt -cacerts -storepass changeit -alias ponto \\'],
    ['', `  -file ${quotePath(info.folder.caFile)}`],
  ] as const
  return rows.map(([who, what]) => `  ${paint.dim(who.padEnd(15))}  ${what}`)
}

const question = 'Say hello.'

function renderCurl(info: BannerInfo, shell: Shell): string[] {
  const body = JSON.stringify({ model: info.deployment, messages: [{ role: 'user', content: question }] })
  const trust = info.isLocalCertificate ? `--cacert ${quotePath(info.folder.caFile)} ` : ''
  const variable = (name: string) => (shell === 'powershell' ? `$($env:${name})` : `$${name}`)
  const more = shell === 'powershell' ? '`' : '\\'
  return [
    `${shell === 'powershell' ? 'curl.exe' : 'curl'} -sS ${trust}${more}`,
    `  "${variable('AZUREAI_ENDPOINT_URL')}/chat/completions?api-version=${inferenceVersion}" ${more}`,
    `  -H "api-key: ${variable('AZUREAI_ENDPOINT_KEY')}" -H "Content-Type: application/json" ${more}`,
    `  -d '${body}'`,
  ]
}

/** A here-document makes a program of several lines one thing to paste; other shells have none and get the program alone. */
function asScript(interpreter: string, lines: readonly string[], shell: Shell): readonly string[] {
  return shell === 'posix' ? [`${interpreter} <<'EOF'`, ...lines, 'EOF'] : lines
}

function renderPython(info: BannerInfo): string[] {
  return [
    'import os',
    'from azure.ai.inference import ChatCompletionsClient',
    'from azure.ai.inference.models import UserMessage',
    'from azure.core.credentials import AzureKeyCredential',
    'client = ChatCompletionsClient(os.environ["AZUREAI_ENDPOINT_URL"],',
    '                               AzureKeyCredential(os.environ["AZUREAI_ENDPOINT_KEY"]))',
    `answer = client.complete(model="${info.deployment}", messages=[UserMessage("${question}")])`,
    'print(answer.choices[0].message.content)',
  ]
}

function renderPythonOpenAi(info: BannerInfo): string[] {
  return [
    'from openai import AzureOpenAI',
    'client = AzureOpenAI()  # endpoint, key and version come from the variables above',
    `answer = client.chat.completions.create(model="${info.deployment}",`,
    `    messages=[{"role": "user", "content": "${question}"}])`,
    'print(answer.choices[0].message.content)',
  ]
}

function renderJavaScript(info: BannerInfo): string[] {
  return [
    `import { AzureOpenAI } from 'openai'`,
    'const client = new AzureOpenAI() // endpoint, key and version come from the variables above',
    `const messages = [{ role: 'user', content: '${question}' }]`,
    `const answer = await client.chat.completions.create({ model: '${info.deployment}', messages })`,
    'console.log(answer.choices[0].message.content)',
  ]
}

/** For `--quiet`: what a script needs, a line each. */
export function renderQuiet(info: BannerInfo): string {
  return `${info.httpsUrl}\n${info.key}\n`
}

/** For `--json`: one line, so that a reader knows when it is whole. */
export function renderJson(info: BannerInfo): string {
  const { folder, isLocalCertificate } = info
  return `${JSON.stringify({
    name: info.name,
    version: info.version,
    endpoints: {
      inference: `${info.httpsUrl}/models`,
      azureOpenAI: info.httpsUrl,
      openAIv1: `${info.httpsUrl}/openai/v1/`,
      ...(info.httpUrl ? { http: info.httpUrl } : {}),
    },
    portal: linkToPortal(info),
    key: info.key,
    deployment: info.deployment,
    dataFolder: folder.path,
    ...(isLocalCertificate ? { caFile: folder.caFile, caBundle: folder.caBundle, trustStore: folder.trustStore } : {}),
    notices: info.notices,
  })}\n`
}

type Paint = Record<'bold' | 'dim' | 'green' | 'yellow' | 'cyan', (text: string) => string>

function makePaint(isColored: boolean): Paint {
  const style = (open: number, close: number) => (text: string) =>
    isColored ? `\x1b[${open}m${text}\x1b[${close}m` : text
  return { bold: style(1, 22), dim: style(2, 22), green: style(32, 39), yellow: style(33, 39), cyan: style(36, 39) }
}
