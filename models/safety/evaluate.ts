import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type FilterCategory, type FilterSource, filterCategories, levelOf } from '../../src/core/filter/categories.ts'
import type { Finding } from '../../src/core/filter/engine.ts'
import { formatScores, type Labels, scoreLines } from '../../src/core/filter/score.ts'
import { createDetector } from '../../src/policy/filter/builtin/load-detector.ts'

/**
 * `bun models/safety/evaluate.ts [--no-heads] [--show] [file.jsonl ...]`: scores of the built-in detector at the threshold medium, how
 * many lines of each kind it filters, and the lines that it judges to be something while the screen would not have woken it.
 */

type Line = { readonly text: string; readonly labels: Labels; readonly source: FilterSource; readonly kind?: string }

const folder = import.meta.dirname
const options = process.argv.slice(2)
const named = options.filter((option) => !option.startsWith('--'))
const files = named.length > 0 ? named : ['dev', 'held-out'].map((name) => join(folder, 'eval', `${name}.jsonl`))
const detector = createDetector({
  words: readFileSync(join(folder, 'words.txt'), 'utf8'),
  rules: readFileSync(join(folder, 'rules.txt'), 'utf8'),
  heads: options.includes('--no-heads') ? undefined : readFileSync(join(folder, 'heads.bin')),
})
const categories = new Set(Object.keys(filterCategories) as FilterCategory[])

for (const file of files) {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
  const judged = lines.map((line) => {
    const findings = detector.analyse(line.text, { source: line.source, categories })
    return { ...line, findings, found: labelsOf(findings), isScreened: detector.screen.find(line.text).length > 0 }
  })
  console.log(`\n${file}: ${lines.length} lines, threshold medium`)
  console.log(formatScores(scoreLines(judged, 'medium')))
  for (const kind of new Set(lines.map((line) => kindOf(line)))) {
    const of = judged.filter((line) => kindOf(line) === kind)
    const filtered = of.filter(({ found }) => isFiltered(found)).length
    const woken = of.filter(({ isScreened }) => isScreened).length
    console.log(`${kind.padEnd(24)} ${of.length} lines, ${filtered} filtered, ${woken} woke the screen`)
  }
  const missed = judged.filter(({ findings, isScreened }) => findings.length > 0 && !isScreened)
  console.log(`missed by the screen: ${missed.length}`)
  for (const { text, findings } of missed) console.log(`  ${text.slice(0, 70)} (${findings.map(({ rule }) => rule).join(', ')})`)
  if (options.includes('--show')) for (const line of judged) showWrong(line.text, line.labels, line.findings, line.found)
}

function kindOf({ labels, kind }: Line): string {
  return Object.keys(labels).length === 0 ? `safe ${kind ?? ''}` : `harmful ${kind ?? ''}`
}

function labelsOf(findings: readonly Finding[]): Labels {
  const found: Partial<Record<FilterCategory, Labels[FilterCategory]>> = {}
  const worst = new Map<FilterCategory, number>()
  for (const { category, severity } of findings) worst.set(category, Math.max(severity, worst.get(category) ?? 0))
  for (const [category, severity] of worst)
    found[category] = filterCategories[category].kind === 'severity' ? levelOf(severity) : true
  return found
}

function isFiltered(found: Labels): boolean {
  return Object.values(found).some((level) => level === true || level === 'medium' || level === 'high')
}

function showWrong(text: string, labels: Labels, findings: readonly Finding[], found: Labels): void {
  const isBad = (level: Labels[FilterCategory]) => level === true || level === 'medium' || level === 'high'
  for (const category of categories) {
    if (isBad(labels[category]) === isBad(found[category])) continue
    const said = findings.filter((finding) => finding.category === category).map(({ rule, severity }) => `${rule} ${severity}`)
    console.log(`${isBad(labels[category]) ? 'miss ' : 'FALSE'} ${category}: ${text.slice(0, 110)} [${said.join(', ')}]`)
  }
}
