import { type Command, InvalidArgumentError, Option } from 'commander'
import { authKinds, type ChatApi, chatApis, protocols, protocolsWithBatches } from '../../backend/presets.ts'
import type { DeploymentInput } from '../../snapshot/deployment-spec.ts'
import type { CommandContext } from '../context.ts'
import { readSecret } from '../terminal/read-secret.ts'
import { parseSecretVariable } from '../terminal/secret-variable.ts'

type BackendInput = NonNullable<DeploymentInput['backends']>[number]

/** A backend as flags describe it; the secret is asked for last. */
type Draft = Partial<Omit<BackendInput, 'credential'>> & { credentialEnv?: string; credentialStdin?: boolean }

export type BackendFlags = {
  /** Whether any flag about backends was given. */
  isUsed(): boolean
  /** Reads the secret if one is to come, and puts the backends together. Undefined without `--backend`. */
  read(command: Command): Promise<BackendInput[] | undefined>
}

export const backendFlagsHelp = `
Flags about a backend belong to the --backend before them; before the first one they hold for all.
Without --backend it runs on the built-in engine, or where "modelBackends" of the configuration file says of its model.`

/**
 * Adds the flags that describe backends. Their order counts, which is why they are gathered while they are parsed:
 * `--protocol openai --backend A --weight 3 --backend B` gives both the protocol and only A the weight.
 */
export function addBackendFlags(command: Command, context: CommandContext): BackendFlags {
  const common: Draft = {}
  const drafts: Draft[] = []
  const current = (): Draft => drafts.at(-1) ?? common
  let isUsed = false
  const add = (flags: string, text: string, apply: (value: string) => void, choices?: readonly string[]) => {
    const option = new Option(
      flags,
      choices ? `${text} (choices: ${choices.map((choice) => `"${choice}"`).join(', ')})` : text,
    )
    command.addOption(
      option.argParser((value: string) => {
        isUsed = true
        if (choices && !choices.includes(value))
          throw new InvalidArgumentError(`Allowed choices are ${choices.join(', ')}.`)
        apply(value)
        return value
      }),
    )
  }
  add('--backend <url>', 'where it runs instead: base URL of a server; repeat it for several', (url) =>
    drafts.push({ url }),
  )
  add(
    '--protocol <name>',
    'what the backend speaks',
    (value) => {
      current().protocol = value as NonNullable<BackendInput['protocol']>
    },
    protocols,
  )
  add('--api-version <version>', 'of the protocol, where it has versions', (value) => {
    current().apiVersion = value
  })
  add(
    '--auth <how>',
    'how the credential is sent',
    (value) => {
      current().auth = value as NonNullable<BackendInput['auth']>
    },
    authKinds,
  )
  add('--credential-env <name>', 'variable of the server that holds the credential: PONTO_SECRET_...', (value) => {
    current().credentialEnv = parseSecretVariable(value)
  })
  command.on('option:credential-stdin', () => {
    isUsed = true
    current().credentialStdin = true
  })
  command.option('--credential-stdin', 'read the credential from standard input, or ask for it')
  add('--upstream-model <name>', 'what the model or deployment is called there', (value) => {
    current().model = value
  })
  add('--priority <number>', 'backends with a lower one are tried first', (value) => {
    current().priority = parseWhole(value, 0, 100)
  })
  add('--weight <number>', 'share among backends of the same priority', (value) => {
    current().weight = parseWhole(value, 1, 1000)
  })
  add('--max-concurrency <number>', 'calls it takes at once; more wait a little', (value) => {
    current().maxConcurrency = parseWhole(value, 1, 100_000)
  })
  add('--label <name>', 'where it stands, for the placement of SKUs; repeat it for several', (value) => {
    current().labels = [...(current().labels ?? []), value]
  })
  add(
    '--chat-api <name>',
    'an API that it has for chats, the preferred one first; repeat it for both',
    (value) => {
      current().chatApis = [...(current().chatApis ?? []), value as ChatApi]
    },
    chatApis,
  )
  add(
    '--stream-usage <switch>',
    'whether streams may be asked for their usage; no for upstreams that refuse it',
    (value) => {
      current().streamUsage = value === 'yes'
    },
    ['yes', 'no'],
  )
  add(
    '--native-batch <switch>',
    `whether batches go there whole, for its cheaper price (${protocolsWithBatches.join(', ')})`,
    (value) => {
      current().nativeBatch = value === 'yes'
    },
    ['yes', 'no'],
  )
  return {
    isUsed: () => isUsed,
    read: async (parsed) => {
      if (drafts.length === 0) {
        if (isUsed) parsed.error('error: flags about a backend need a --backend URL')
        return undefined
      }
      return assemble(
        parsed,
        context,
        drafts.map((draft) => ({ ...common, ...draft })),
      )
    },
  }
}

async function assemble(command: Command, context: CommandContext, drafts: readonly Draft[]): Promise<BackendInput[]> {
  if (drafts.some((draft) => draft.credentialEnv && draft.credentialStdin)) {
    command.error('error: a backend has one credential: --credential-env or --credential-stdin')
  }
  const asking = drafts.filter((draft) => draft.credentialStdin)
  const secret = asking.length > 0 ? await readSecret(context, `Credential for ${asking.map(hostOf).join(', ')}: `) : ''
  return drafts.map(({ credentialEnv, credentialStdin, ...backend }) => ({
    ...(backend as Omit<BackendInput, 'credential'>),
    ...(credentialEnv ? { credential: { env: credentialEnv } } : {}),
    ...(credentialStdin ? { credential: { value: secret } } : {}),
  }))
}

function hostOf(draft: Draft): string {
  return draft.url && URL.canParse(draft.url) ? new URL(draft.url).host : (draft.url ?? '')
}

function parseWhole(text: string, least: number, most: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw new InvalidArgumentError(`It must be a whole number from ${least} to ${most}.`)
}
