import { type Command, Option } from 'commander'
import type { CommandContext } from '../context.ts'

const shells = ['bash', 'zsh', 'fish'] as const

/** A command by its words (`deployment create`), and what may follow it. */
export type CompletionEntry = {
  readonly path: string
  readonly words: readonly { readonly word: string; readonly text: string }[]
  /** Values of flags that take one of a few. */
  readonly choices: Readonly<Record<string, readonly string[]>>
}

/** `ponto completion SHELL`: a script that knows all commands and flags. `loadWhole` gives the program with everything defined. */
export function defineCompletion(command: Command, context: CommandContext, loadWhole: () => Promise<Command>): void {
  command
    .description('print the completion script of a shell')
    .argument('<shell>', shells.join(', '))
    .addHelpText(
      'after',
      `
Examples:
  source <(ponto completion bash)
  source <(ponto completion zsh)
  ponto completion fish > ~/.config/fish/completions/ponto.fish`,
    )
    .action(async (shell: string) => {
      if (!(shells as readonly string[]).includes(shell))
        command.error(`error: "${shell}" is no shell that is known; allowed are ${shells.join(', ')}`)
      const entries = listEntries(await loadWhole())
      context.stdout.write(shell === 'fish' ? writeFish(entries) : writeBash(entries, shell === 'zsh'))
    })
}

export function listEntries(command: Command, path = ''): CompletionEntry[] {
  const options = command.options.filter(({ hidden, long }) => !hidden && long)
  const words = [
    ...command.commands.map((child) => ({ word: child.name(), text: child.description() })),
    ...options.map(({ long, description }) => ({ word: long as string, text: description })),
    { word: '--help', text: 'show how it is used' },
  ]
  const choices = Object.fromEntries(
    options
      .filter((option) => option instanceof Option && option.argChoices)
      .map((option) => [option.long, option.argChoices]),
  )
  return [
    { path, words, choices: choices as CompletionEntry['choices'] },
    ...command.commands.flatMap((child) => listEntries(child, `${path} ${child.name()}`.trim())),
  ]
}

function writeBash(entries: readonly CompletionEntry[], isZsh: boolean): string {
  const values = entries.flatMap(({ path, choices }) =>
    Object.entries(choices).map(([flag, list]) => `    "${path}|${flag}") words="${list.join(' ')}" ;;`),
  )
  const words = entries.map(
    ({ path, words: list }) => `    "${path}") words="${list.map(({ word }) => word).join(' ')}" ;;`,
  )
  return `${isZsh ? 'autoload -U +X bashcompinit && bashcompinit\n' : ''}_ponto() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" word words=""
  local known=" ${entries
    .map(({ path }) => path.replaceAll(' ', '/'))
    .filter(Boolean)
    .join(' ')} "
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$known" in *" \${path:+$path/}$word "*) path="\${path:+$path/}$word" ;; esac
  done
  path="\${path//\\// }"
  case "$path|$previous" in
${values.join('\n')}
  esac
  [ -n "$words" ] || case "$path" in
${words.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _ponto ponto
`
}

function writeFish(entries: readonly CompletionEntry[]): string {
  const quote = (text: string) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
  const lines = entries.flatMap(({ path, words, choices }) => {
    const parts = path.split(' ').filter(Boolean)
    const children = entries.filter((other) => other.path.startsWith(`${path} `.trimStart()) && other.path !== path)
    const inside = parts.map((part) => `__fish_seen_subcommand_from ${part}`)
    const names = [...new Set(children.map((child) => child.path.split(' ')[parts.length]))].filter(Boolean)
    const outside = names.length > 0 ? [`not __fish_seen_subcommand_from ${names.join(' ')}`] : []
    const condition = quote([...inside, ...outside].join('; and ') || 'true')
    return words.map(({ word, text }) => {
      if (!word.startsWith('--')) return `complete -c ponto -f -n ${condition} -a ${quote(word)} -d ${quote(text)}`
      const values = choices[word] ? ` -x -a ${quote(choices[word].join(' '))}` : ''
      return `complete -c ponto -n ${condition} -l ${word.slice(2)}${values} -d ${quote(text)}`
    })
  })
  return `${lines.join('\n')}\n`
}
