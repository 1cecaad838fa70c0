import type { FilterCategory } from '../../core/filter/categories.ts'
import type { Finding } from '../../core/filter/engine.ts'
import type { Judge, JudgeQuestion } from './judge.ts'

export type WordJudge = {
  readonly judge: Judge
  /** What was asked, in order. */
  readonly asked: {
    readonly texts: readonly string[]
    readonly roles: readonly string[]
    readonly question: JudgeQuestion
  }[]
}

/** Finds `<category>=<severity>` in texts, in categories that were asked for: `hate=5`. */
export function openWordJudge(): WordJudge {
  const asked: WordJudge['asked'][number][] = []
  const judge: Judge = async (segments, question) => {
    asked.push({ texts: segments.map(({ text }) => text), roles: segments.map(({ role }) => role), question })
    const findings = segments.flatMap(({ text }, segment) =>
      [...text.matchAll(/([a-z_]+)=(\d)/g)].flatMap((match): Finding[] => {
        const category = match[1] as FilterCategory
        if (!question.categories.has(category)) return []
        const span = { segment, start: match.index, end: match.index + match[0].length }
        return [{ category, severity: Number(match[2]), span }]
      }),
    )
    return { findings, label: 'words/1' }
  }
  return { judge, asked }
}
