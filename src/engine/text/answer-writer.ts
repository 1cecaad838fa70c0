import type { Event, FinishReason, TokenLogprob } from '../../core/event.ts'
import { randomId } from '../../core/text/id.ts'
import { createStopScanner } from './stop-scanner.ts'
import { createToolParser, type ToolItem } from './tool-parser.ts'

export type AnswerOptions = {
  readonly choice: number
  readonly stops: readonly string[]
  /** Names of the tools on offer; undefined when the text is not to be searched for calls. */
  readonly toolNames?: ReadonlySet<string> | undefined
  /** Whether the answer is over after one call. */
  readonly isSingleCall?: boolean
}

/** Turns the text of one answer into events, looking for stop strings and tool calls. */
export type AnswerWriter = {
  /** Takes the next text, with the log probability of its token when wanted. True once the answer is over. */
  push(text: string, logprob?: TokenLogprob): boolean
  /** Writes what was held back and the end of the choice. */
  end(reason: 'stop' | 'length'): void
}

export function createAnswerWriter(options: AnswerOptions, emit: (event: Event) => void): AnswerWriter {
  const { choice, toolNames } = options
  const scanner = createStopScanner(options.stops)
  const parser = toolNames && createToolParser(toolNames)
  let calls = 0
  let isOver = false
  let logprobs: TokenLogprob[] = []

  const write = (items: readonly ToolItem[]): void => {
    for (const item of items) {
      if (isOver) return
      if (item.type === 'text') {
        if (item.text === '') continue
        emit({ type: 'text-delta', choice, text: item.text, ...(logprobs.length > 0 && { logprobs }) })
        logprobs = []
        continue
      }
      const index = calls++
      emit({ type: 'tool-call-start', choice, index, id: `call_${randomId(24)}`, name: item.name })
      emit({ type: 'tool-call-delta', choice, index, arguments: item.arguments })
      // Log probabilities belong to text; those of the call have no place in the answer.
      logprobs = []
      isOver = options.isSingleCall === true
    }
  }
  const parse = (text: string): ToolItem[] => (parser ? parser.push(text) : [{ type: 'text', text }])

  return {
    push(text, logprob) {
      if (logprob) logprobs.push(logprob)
      const step = scanner.push(text)
      write(parse(step.text))
      if (step.isStopped) {
        write(parser?.end() ?? [])
        isOver = true
      }
      return isOver
    },
    end(reason) {
      write(parse(scanner.end()))
      write(parser?.end() ?? [])
      const finish: FinishReason = calls > 0 && reason === 'stop' ? 'tool_calls' : reason
      emit({ type: 'choice-end', choice, reason: finish })
    },
  }
}
