import type { Command } from 'commander'
import type { CommandContext } from '../context.ts'
import { printFacts } from '../terminal/print.ts'

/** `ponto version`: of the program and of what it runs on. */
export function defineVersion(command: Command, context: CommandContext): void {
  command.action(async () => {
    const runtime = process.versions.bun ? `Bun ${process.versions.bun}` : `Node ${process.versions.node}`
    const platform = `${process.platform}-${process.arch}`
    await printFacts(context, { version: context.version, runtime, platform }, [
      ['Ponto', context.version],
      ['Runtime', runtime],
      ['Platform', platform],
    ])
  })
}
