import type { Alphabet } from './symbols.ts'

/** A term as symbols. `isAnchored`: it may only begin where a word does. */
export type SymbolTerm = { readonly symbols: readonly number[]; readonly isAnchored: boolean }

/**
 * A deterministic automaton that finds terms in one step for each symbol. States are numbered so that two comparisons tell what is
 * there to do: below `firstLive` nothing has begun, from `firstMarked` on something ended or white space was read.
 *
 * With few states and classes, `next` is the whole table and a state is the place of its row in it. Otherwise rows are laid into each
 * other: a state's successor by a class stands at `base[state] + class` if `owner` there names the state; if not, `fail` goes on.
 */
export type TermAutomaton = {
  readonly next: Int32Array | undefined
  readonly base: Int32Array
  readonly owner: Int32Array
  readonly target: Int32Array
  readonly fail: Int32Array
  readonly start: number
  readonly firstLive: number
  readonly firstMarked: number
  /** By state, in rows: symbols, of those read last, of the longest beginning of a term that is not the whole of it. */
  readonly openDepth: Uint16Array
  /** By state, in rows: the first term that ends with it, -1 for none; the next of the same symbols; the next shorter state with one. */
  readonly firstTerm: Int32Array
  readonly nextTerm: Int32Array
  readonly shorter: Int32Array
  /** What a state is divided by to get its row. */
  readonly rowSize: number
}

/** Entries of a table that is laid out whole: 4 MB. */
const mostDenseEntries = 1 << 20

/**
 * Terms that may only begin with a word hang from a root of their own, so that most of a text is read in one state. Two more states say
 * that nothing has begun, after a mark and after a part of a word.
 */
export function buildTermAutomaton(
  terms: readonly SymbolTerm[],
  { width, isWord, spaceClass }: Alphabet,
  denseEntries = mostDenseEntries,
): TermAutomaton {
  const trie = growTrie(terms, width)
  const { size, parent, symbol, depth, firstTerm, nextTerm, child, eachChild } = trie
  const fail = new Int32Array(size)
  const shorter = new Int32Array(size).fill(-1)
  const isSpace = new Uint8Array(size)
  const openDepth = new Uint16Array(size)

  function step(state: number, by: number): number {
    for (let at = state; ; at = fail[at] as number) {
      if (at === afterMark) {
        const anchored = isWord[by] === 1 ? child(anchoredRoot, by) : -1
        if (anchored >= 0) return anchored
      }
      if (at <= afterWord) return rootStep(by)
      if (by === spaceClass && isSpace[at] === 1) return at
      const found = child(at, by)
      if (found >= 0) return found
    }
  }

  function rootStep(by: number): number {
    const found = child(freeRoot, by)
    return found >= 0 ? found : isWord[by] === 1 ? afterWord : afterMark
  }

  const order = trie.byDepth()
  for (const state of order) {
    const by = symbol[state] as number
    const from = parent[state] as number
    isSpace[state] = by === spaceClass ? 1 : 0
    if (from === freeRoot) fail[state] = isWord[by] === 1 ? afterWord : afterMark
    else if (from === anchoredRoot) fail[state] = rootStep(by)
    else fail[state] = step(fail[from] as number, by)
    const behind = fail[state] as number
    openDepth[state] = (trie.hasChild(state) ? depth[state] : openDepth[behind]) as number
    shorter[state] = (firstTerm[behind] as number) >= 0 ? behind : (shorter[behind] as number)
  }

  const isMarked = (state: number) =>
    (firstTerm[state] as number) >= 0 || (shorter[state] as number) >= 0 || isSpace[state] === 1
  const ordered = [...order.filter((state) => !isMarked(state)), ...order.filter(isMarked)]
  const rows = ordered.length + 2
  const firstMarkedRow = 2 + order.filter((state) => !isMarked(state)).length
  const rowOf = new Int32Array(size)
  rowOf[afterWord] = 1
  for (const [i, state] of ordered.entries()) rowOf[state] = i + 2
  const states = [afterMark, afterWord, ...ordered]
  const isDense = rows * width <= denseEntries
  const rowSize = isDense ? width : 1
  const shared = {
    rowSize,
    start: 0,
    firstLive: 2 * rowSize,
    firstMarked: firstMarkedRow * rowSize,
    openDepth: Uint16Array.from(states, (state) => openDepth[state] as number),
    firstTerm: Int32Array.from(states, (state) => firstTerm[state] as number),
    nextTerm,
    shorter: Int32Array.from(states, (state) => {
      const behind = shorter[state] as number
      return behind < 0 ? -1 : (rowOf[behind] as number)
    }),
    fail: Int32Array.from(states, (state) => rowOf[fail[state] as number] as number),
  }
  return isDense ? { ...shared, ...layDense() } : { ...shared, ...layDisplaced() }

  /** A row is that of the state behind it with its own successors laid over: those behind are shorter, and come first by depth. */
  function layDense() {
    const next = new Int32Array(rows * width)
    for (const state of [afterMark, afterWord]) {
      for (let by = 0; by < width; by++)
        next[(rowOf[state] as number) * width + by] = (rowOf[step(state, by)] as number) * width
    }
    for (const state of order) {
      const row = (rowOf[state] as number) * width
      const behind = (rowOf[fail[state] as number] as number) * width
      next.copyWithin(row, behind, behind + width)
      eachChild(state, (by, to) => {
        next[row + by] = (rowOf[to] as number) * width
      })
      if (isSpace[state] === 1) next[row + spaceClass] = row
    }
    return { next, base: none, owner: none, target: none }
  }

  function layDisplaced() {
    const base = new Int32Array(rows)
    let owner = new Int32Array(width * 4 + order.length * 2).fill(-1)
    let target = new Int32Array(owner.length)
    let firstFree = width * 2
    for (let row = 0; row < 2; row++) {
      base[row] = row * width
      for (let by = 0; by < width; by++) set(row * width + by, row, rowOf[step(states[row] as number, by)] as number)
    }
    const own: number[] = []
    for (let row = 2; row < rows; row++) {
      const state = states[row] as number
      own.length = 0
      eachChild(state, (by) => own.push(by))
      if (isSpace[state] === 1) own.push(spaceClass)
      const at = own.length === 0 ? 0 : placeFor(own)
      base[row] = at
      for (const by of own)
        set(at + by, row, by === spaceClass && isSpace[state] === 1 ? row : (rowOf[child(state, by)] as number))
    }
    enlarge(base.reduce((most, at) => Math.max(most, at), 0) + width)
    return { next: undefined, base, owner, target }

    function placeFor(own: readonly number[]): number {
      while (owner[firstFree] !== -1 && firstFree < owner.length) firstFree++
      const lowest = own.reduce((least, by) => Math.min(least, by), width)
      const highest = own.reduce((most, by) => Math.max(most, by), 0)
      let at = Math.max(0, firstFree - lowest)
      for (let tries = 0; ; at++, tries++) {
        if (at + highest >= owner.length) enlarge(at + highest + 1)
        if (own.every((by) => owner[at + by] === -1)) return at
        // Rows that fit nowhere near are not worth the search: the gaps behind are given up.
        if (tries === mostPlaceTries) firstFree = Math.max(firstFree, at)
      }
    }

    function set(at: number, row: number, to: number): void {
      owner[at] = row
      target[at] = to
    }

    function enlarge(least: number): void {
      if (least <= owner.length) return
      const length = Math.max(least + width, Math.ceil(owner.length * 1.25))
      const larger = new Int32Array(length).fill(-1)
      larger.set(owner)
      owner = larger
      const targets = new Int32Array(length)
      targets.set(target)
      target = targets
    }
  }
}

const mostPlaceTries = 512
const none = new Int32Array(0)

const afterMark = 0
const afterWord = 1
const anchoredRoot = 2
const freeRoot = 3

/** States of the trie: the two of nothing, the two roots, and the beginnings of terms. */
function growTrie(terms: readonly SymbolTerm[], width: number) {
  const most = 4 + terms.reduce((sum, { symbols }) => sum + symbols.length, 0)
  const parent = new Int32Array(most)
  const symbol = new Int32Array(most)
  const depth = new Uint16Array(most)
  const firstTerm = new Int32Array(most).fill(-1)
  const nextTerm = new Int32Array(terms.length).fill(-1)
  const firstChild = new Int32Array(most).fill(-1)
  const sibling = new Int32Array(most).fill(-1)
  const children = new Map<number, number>()
  let size = 4
  for (const [index, { symbols, isAnchored }] of terms.entries()) {
    let state = isAnchored ? anchoredRoot : freeRoot
    for (const by of symbols) {
      const key = state * width + by
      let to = children.get(key)
      if (to === undefined) {
        to = size++
        children.set(key, to)
        parent[to] = state
        symbol[to] = by
        depth[to] = (depth[state] as number) + 1
        sibling[to] = firstChild[state] as number
        firstChild[state] = to
      }
      state = to
    }
    nextTerm[index] = firstTerm[state] as number
    firstTerm[state] = index
  }

  /** Of those of one depth, free ones come first: an anchored one may fail to the same symbols without their anchor. */
  function byDepth(): number[] {
    const isFree = new Uint8Array(size)
    isFree[freeRoot] = 1
    const states: number[] = []
    for (let state = 4; state < size; state++) {
      isFree[state] = isFree[parent[state] as number] as number
      states.push(state)
    }
    const rank = (state: number) => (depth[state] as number) * 2 - (isFree[state] as number)
    return states.sort((a, b) => rank(a) - rank(b) || a - b)
  }

  return {
    size,
    parent,
    symbol,
    depth,
    firstTerm,
    nextTerm,
    byDepth,
    hasChild: (state: number) => firstChild[state] !== -1,
    child: (state: number, by: number) => children.get(state * width + by) ?? -1,
    eachChild(state: number, visit: (by: number, to: number) => void): void {
      for (let to = firstChild[state] as number; to >= 0; to = sibling[to] as number) visit(symbol[to] as number, to)
    },
  }
}
