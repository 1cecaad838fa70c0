import { type FilterCategory, filterCategories } from '../../../core/filter/categories.ts'
import { type Pattern, type PatternElement, place } from './pattern.ts'
import type { TrieWord } from './word-trie.ts'

/** What is said about a category where a pattern is found. */
export type Rule = {
  readonly category: FilterCategory
  /** Category and name, as explanations write it. */
  readonly id: string
  /** Severity 0 to 7; of a binary category how much it weighs. */
  readonly severity: number
  /** Whether what stands around it makes it no milder. */
  readonly isFirm: boolean
  /** Counts only where another rule of the category is found. */
  readonly isSupport: boolean
}

/** A pattern near which findings of some categories are milder, or (where `by` is undefined) none at all. */
export type Relief = { readonly categories: ReadonlySet<FilterCategory>; readonly by: number | undefined }

/** Words, one of which a rule needs; or two of them next to each other. A star ends a stem. */
export type Anchor = { readonly first: ReadonlySet<string>; readonly second: ReadonlySet<string> | undefined }

export type RuleSet = {
  readonly words: readonly TrieWord[]
  readonly classCount: number
  readonly rules: readonly { readonly pattern: Pattern; readonly rule: Rule }[]
  readonly supports: readonly { readonly pattern: Pattern; readonly rule: Rule }[]
  /** Patterns with the word that a rule was found at in them, and patterns that count anywhere near it. */
  readonly attached: readonly { readonly pattern: Pattern; readonly rule: Relief }[]
  readonly nearby: readonly { readonly pattern: Pattern; readonly rule: Relief }[]
  /** Without one of these no rule is ever found. */
  readonly anchors: readonly Anchor[]
}

type Lexicon = {
  readonly classes: Map<string, ReadonlySet<string>>
  idOf(members: ReadonlySet<string>): number
  readonly membersOf: ReadonlySet<string>[]
}

/**
 * Reads the word classes and the rules; `models/safety/README.md` has their syntax. Throws an Error with file and line where one is
 * wrong: they ship with the program, nobody else writes them.
 */
export function readRules(wordsText: string, rulesText: string): RuleSet {
  const lexicon = readClasses(wordsText)
  const rules: { pattern: Pattern; rule: Rule }[] = []
  const supports: { pattern: Pattern; rule: Rule }[] = []
  const attached: { pattern: Pattern; rule: Relief }[] = []
  const nearby: { pattern: Pattern; rule: Relief }[] = []
  const anchors: Anchor[] = []
  let section: { rule: Rule } | { relief: Relief } | undefined
  for (const [index, raw] of rulesText.split('\n').entries()) {
    const line = raw.replace(/#.*$/, '').trimEnd()
    if (line.trim() === '') continue
    const where = `rules.txt:${index + 1}`
    if (!line.startsWith(' ')) {
      section = readSection(line, where)
      continue
    }
    if (section === undefined) throw new Error(`${where}: a pattern before any section`)
    const { pattern, isAttached, anchorWords } = readPattern(line.trim(), lexicon, where)
    if ('rule' in section && section.rule.isSupport) supports.push({ pattern, rule: section.rule })
    else if ('rule' in section) {
      if (anchorWords === undefined) throw new Error(`${where}: no word is marked with ^ as the one to look for`)
      anchors.push({ first: anchorWords[0] as ReadonlySet<string>, second: anchorWords[1] })
      rules.push({ pattern, rule: section.rule })
    } else (isAttached ? attached : nearby).push({ pattern, rule: section.relief })
  }
  const words = new Map<string, number[]>()
  for (const [id, members] of lexicon.membersOf.entries())
    for (const member of members) {
      const classes = words.get(member)
      if (classes === undefined) words.set(member, [id])
      else classes.push(id)
    }
  return {
    words: [...words].map(([member, classes]) => ({ ...wordOf(member), classes })),
    classCount: lexicon.membersOf.length,
    rules,
    supports,
    attached,
    nearby,
    anchors,
  }
}

export function wordOf(member: string): { text: string; isStem: boolean } {
  const isStem = member.endsWith('*')
  return { text: isStem ? member.slice(0, -1) : member, isStem }
}

function readClasses(text: string): Lexicon {
  const classes = new Map<string, Set<string>>()
  const membersOf: ReadonlySet<string>[] = []
  const ids = new Map<string, number>()
  let current: { members: Set<string>; isHidden: boolean } | undefined
  for (const [index, raw] of text.split('\n').entries()) {
    const where = `words.txt:${index + 1}`
    let line = raw.replace(/#.*$/, '').trimEnd()
    if (line.trim() === '') continue
    const head = /^([a-z-]+)( \[rot13\])?:/.exec(line)
    if (head !== null) {
      current = { members: new Set(), isHidden: head[2] !== undefined }
      classes.set(head[1] as string, current.members)
      line = line.slice(head[0].length)
    }
    if (current === undefined || (head === null && !line.startsWith(' ')))
      throw new Error(`${where}: no class is begun`)
    const { members, isHidden } = current
    for (const word of line.split(/\s+/).filter(Boolean)) {
      if (word.startsWith('<')) for (const member of findClass(classes, word, where)) members.add(member)
      else members.add(isHidden ? rotate(word) : word)
    }
  }
  const idOf = (members: ReadonlySet<string>): number => {
    const key = [...members].sort().join(' ')
    const known = ids.get(key)
    if (known !== undefined) return known
    ids.set(key, membersOf.length)
    membersOf.push(members)
    return membersOf.length - 1
  }
  return { classes, idOf, membersOf }
}

function findClass(
  classes: ReadonlyMap<string, ReadonlySet<string>>,
  word: string,
  where: string,
): ReadonlySet<string> {
  const members = classes.get(word.slice(1, -1))
  if (members === undefined) throw new Error(`${where}: there is no class ${word}`)
  return members
}

/** Rude words are kept in ROT13, so that the files can be read in company. */
export function rotate(text: string): string {
  return text.replace(/[a-z]/gi, (letter) => {
    const base = letter <= 'Z' ? 65 : 97
    return String.fromCharCode(((letter.charCodeAt(0) - base + 13) % 26) + base)
  })
}

function readSection(line: string, where: string): { rule: Rule } | { relief: Relief } {
  const relief = /^(?:not|lower) ([a-z_,]+)(?: (\d))?$/.exec(line)
  if (relief !== null) {
    const names = (relief[1] as string).split(',')
    const categories = new Set(names.map((name) => readCategory(name, where)))
    return { relief: { categories, by: relief[2] === undefined ? undefined : Number(relief[2]) } }
  }
  const rule = /^([a-z_]+)\/([a-z0-9+-]+) (\d)(?: (firm|support))?$/.exec(line)
  if (rule === null)
    throw new Error(`${where}: not a section: "category/name severity", "not category" or "lower category by"`)
  const category = readCategory(rule[1] as string, where)
  return {
    rule: {
      category,
      id: `${category}/${rule[2]}`,
      severity: Number(rule[3]),
      isFirm: rule[4] === 'firm',
      isSupport: rule[4] === 'support',
    },
  }
}

function readCategory(name: string, where: string): FilterCategory {
  if (!(name in filterCategories)) throw new Error(`${where}: there is no category ${name}`)
  return name as FilterCategory
}

function readPattern(line: string, lexicon: Lexicon, where: string) {
  const elements: PatternElement[] = []
  const anchorWords: ReadonlySet<string>[] = []
  let anchor = -1
  let isAttached = false
  let gap = 0
  for (const part of line.split(/\s+/)) {
    if (/^~\d$/.test(part)) {
      gap = Number(part[1])
      continue
    }
    if (part === '@') {
      isAttached = true
      anchor = elements.length
      elements.push({ classId: place.target, isOptional: false, gap })
    } else if (part === '{s}' || part === '{e}') {
      elements.push({ classId: part === '{s}' ? place.begin : place.end, isOptional: false, gap })
    } else {
      const isOptional = part.endsWith('?')
      const isAnchor = part.startsWith('^')
      const members = readMembers(part.slice(isAnchor ? 1 : 0, isOptional ? -1 : undefined), lexicon, where)
      if (isAnchor) {
        if (isOptional || (anchor >= 0 && (gap > 0 || elements.length !== anchor + anchorWords.length)))
          throw new Error(`${where}: words marked with ^ stand next to each other and are not optional`)
        if (anchor < 0) anchor = elements.length
        anchorWords.push(members)
      }
      elements.push({ classId: lexicon.idOf(members), isOptional, gap })
    }
    gap = 0
  }
  if (anchor < 0) anchor = elements.findIndex(({ isOptional, classId }) => !isOptional && classId >= 0)
  if (anchor < 0) throw new Error(`${where}: every word of the pattern may be missing`)
  return { pattern: { elements, anchor }, isAttached, anchorWords: anchorWords.length > 0 ? anchorWords : undefined }
}

function readMembers(part: string, { classes }: Lexicon, where: string): ReadonlySet<string> {
  const members = new Set<string>()
  for (const choice of part.split('|')) {
    if (choice.startsWith('<')) for (const member of findClass(classes, choice, where)) members.add(member)
    else if (/^[a-z0-9]+\*?$/.test(choice)) members.add(choice)
    else
      throw new Error(
        `${where}: "${choice}" is no word: small letters and digits without accents, * at the end of a stem`,
      )
  }
  return members
}
