import type { Deployment } from '../../../core/deployment.ts'
import type { NewLine } from '../../../port/tables/batches/port.ts'
import type { BatchEndpoint } from '../endpoints.ts'
import type { BatchSettings } from '../settings.ts'
import { checkLine, checkModel, type Problem } from './check-line.ts'
import { estimateTokens } from './estimate-tokens.ts'
import type { Progress } from './progress.ts'
import type { InputLine } from './split-lines.ts'

export type JudgeOptions = {
  /** Goes on with every line. */
  readonly progress: Progress
  readonly endpoint: BatchEndpoint
  readonly settings: Pick<BatchSettings, 'maxLines' | 'maxLineBytes' | 'maxProblems'>
  findDeployment(name: string): Deployment | undefined
}

export type LineJudge = {
  /** What is to be added of the line; undefined where that is nothing: it is blank, or something is wrong with it. */
  judge(line: InputLine): NewLine | undefined
  addProblem(problem: Problem): void
  /** Whether nothing more can be learned from what follows. */
  isOver(): boolean
}

const bom = [0xef, 0xbb, 0xbf] as const

/** Judges the lines of an input one after the other. */
export function createLineJudge({ progress, endpoint, settings, findDeployment }: JudgeOptions): LineJudge {
  const { problems } = progress
  const { maxLines, maxLineBytes, maxProblems } = settings

  const addProblem = (problem: Problem): void => {
    problems.push(problem)
  }
  const isOver = (): boolean => problems.length >= maxProblems || problems.some(isLast)

  function judgeLine({ number, start, bytes }: InputLine): NewLine | undefined {
    const refuse = (problem: Omit<Problem, 'line'>): undefined => {
      addProblem({ ...problem, line: number })
      return undefined
    }
    if (!bytes) return refuse(unreadable(`This line has more than ${maxLineBytes} bytes.`))
    const hasBom = number === 1 && bom.every((byte, i) => bytes[i] === byte)
    if (hasBom) refuse(unreadable('The file begins with a byte order mark. Save it as UTF-8 without one.'))
    const content = hasBom ? bytes.subarray(bom.length) : bytes
    if (isBlank(content)) return undefined
    if (progress.total === maxLines) {
      const message = `The input has more than ${maxLines} lines. Split it into several batches.`
      return refuse({ code: 'too_many_tasks', message, param: null })
    }
    progress.total++
    const checked = checkLine(content, endpoint)
    if ('problem' in checked) return refuse(checked.problem)
    const { customId, model, body } = checked.task
    const problem = judgeModel(model)
    if (problem) refuse(problem)
    progress.tokens += estimateTokens(body)
    return { line: number, customId, start: start + (hasBom ? bom.length : 0), bytes: content.length }
  }

  /** What the first line names decides for all others. */
  function judgeModel(model: string): Omit<Problem, 'line'> | undefined {
    if (progress.model !== undefined) return checkModel(model, progress.model)
    progress.model = model
    return checkDeployment(findDeployment(model), model, endpoint)
  }

  return {
    judge(line) {
      const added = isOver() ? undefined : judgeLine(line)
      progress.line = line.number
      progress.offset = line.next
      return added
    },
    addProblem,
    isOver,
  }
}

/** What is wrong with the deployment that a batch names, if anything is. */
export function checkDeployment(
  deployment: Deployment | undefined,
  model: string,
  { path, end }: BatchEndpoint,
): Omit<Problem, 'line'> | undefined {
  const shown = JSON.stringify(model.slice(0, 64))
  const param = 'body.model'
  if (!deployment) {
    return { code: 'model_not_found', message: `There is no deployment ${shown}, or not for this key.`, param }
  }
  if (deployment.kinds.has(end.kind)) return undefined
  return { code: 'invalid_request', message: `The deployment ${shown} does not answer ${path}.`, param }
}

function unreadable(message: string): Omit<Problem, 'line'> {
  return { code: 'invalid_json_line', message, param: null }
}

function isLast({ code }: Problem): boolean {
  return code === 'too_many_tasks'
}

function isBlank(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte !== 0x20 && byte !== 0x09 && byte !== 0x0d) return false
  return true
}
