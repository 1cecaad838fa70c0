import { invisibles } from '../match/regex/char-set.ts'

/**
 * What every character means for finding words: look-alikes, accents, full width and mathematical letters are the Latin letter that
 * they look like, invisible characters are nothing at all. Codes 1 to 26 are letters, 27 to 36 digits.
 */
export const letterCode = {
  separator: 0,
  lastLetter: 26,
  firstDigit: 27,
  lastDigit: 36,
  /** A letter of a script in which there are no words here: it keeps its word together and matches nothing. */
  foreign: 37,
  at: 38,
  dollar: 39,
  bar: 40,
  star: 41,
  exclamation: 42,
  /** From here on nothing belongs to a word. */
  invisible: 43,
  sentenceEnd: 44,
  lineEnd: 45,
  /** Several letters written as one. */
  several: 46,
  highSurrogate: 47,
} as const

const c = letterCode

/** By UTF-16 unit. */
export const letterCodes = new Uint8Array(0x10000)
/** The codes of units that stand for several letters, such as `æ`. */
export const severalLetters = new Map<number, readonly number[]>()
const beyondBasicPlane = new Map<number, number>()

/** The code of a character outside the basic plane. */
export function codeOfAstral(codePoint: number): number {
  return beyondBasicPlane.get(codePoint) ?? (codePoint < 0x1f000 || codePoint >= 0x20000 ? c.foreign : c.separator)
}

/** Letters and digits of a word of ours, folded as texts are; what is nothing of both is left out. */
export function foldWord(word: string): number[] {
  const codes: number[] = []
  for (let i = 0; i < word.length; i++) {
    const unit = word.charCodeAt(i)
    const code = letterCodes[unit] as number
    if (code === c.several) codes.push(...(severalLetters.get(unit) as number[]))
    else if (code > 0 && code <= c.lastDigit) codes.push(code)
  }
  return codes
}

function codeOfAscii(unit: number): number {
  const char = String.fromCharCode(unit)
  if (/[a-z]/i.test(char)) return (unit | 32) - 96
  if (/[0-9]/.test(char)) return unit - 48 + c.firstDigit
  return { '@': c.at, $: c.dollar, '|': c.bar, '*': c.star, '!': c.exclamation, '\n': c.lineEnd }[char] ?? endOf(char)
}

function endOf(char: string): number {
  return '.?;:'.includes(char) ? c.sentenceEnd : c.separator
}

/** Letters of other scripts next to the Latin ones that they look like. */
const lookAlikes =
  'аaвbсcԁdеeһhіiїiјjкkӏlмmнhоoпnрpԛqгrѕsтtѵvԝwхxуyиnшwёeєeґr' +
  'АaВbСcЕeНhІiЇiЈjКkӀlМmОoРpЅsТtХxУyГrПnИnЁe' +
  'αaβbγyεeζzηnιiκkμuνvοoπnρpσsτtυuχxωwάaέeίiόoύu' +
  'ΑaΒbΕeΖzΗhΙiΚkΜmΝnΟoΡpΤtΥyΧx' +
  'ոnսuօoհhցgզqյjՏsɑaɡgɩiɪiʟlɴnʀrʏyʙbɢgʜhᴀaᴄcᴅdᴇeᴊjᴋkᴍmᴏoᴘpᴛtᴜuᴠvᴡwᴢz' +
  'ıiłlŁlđdĐdøoØoħhŧtƒfƖlƙkƚlɓbɗdɛeɨiɔoƀb'

/** On a letter they change nothing. */
const diacritics = [
  [0x300, 0x36f],
  [0x483, 0x489],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20ff],
  [0xfe20, 0xfe2f],
] as const

function fillCodes(): void {
  for (let unit = 0; unit < 128; unit++) letterCodes[unit] = codeOfAscii(unit)
  for (let unit = 128; unit < 0x10000; unit++) letterCodes[unit] = c.separator
  fillRange(0x370, 0x1fff, c.foreign)
  fillRange(0x2c00, 0x2dff, c.foreign)
  fillRange(0x3040, 0xd7ff, c.foreign)
  fillRange(0xd800, 0xdbff, c.highSurrogate)
  fillRange(0xf900, 0xfdff, c.foreign)
  for (const [from, to] of [
    [0xaa, 0xaa],
    [0xb2, 0xba],
    [0xc0, 0x24f],
    [0x1d2c, 0x1d6a],
    [0x1e00, 0x1eff],
    [0x2070, 0x209c],
    [0x2100, 0x2188],
    [0x2460, 0x24ff],
    [0xfb00, 0xfb06],
    [0xff01, 0xff5e],
  ] as const)
    for (let unit = from; unit <= to; unit++) foldUnit(unit)
  for (let i = 0; i < lookAlikes.length; i += 2)
    letterCodes[lookAlikes.charCodeAt(i)] = letterCodes[lookAlikes.charCodeAt(i + 1)] as number
  for (const [unit, letters] of Object.entries({ ß: 'ss', æ: 'ae', Æ: 'ae', œ: 'oe', Œ: 'oe', þ: 'th', Þ: 'th' })) {
    letterCodes[unit.charCodeAt(0)] = c.several
    severalLetters.set(unit.charCodeAt(0), foldWord(letters))
  }
  for (const [from, to] of diacritics) fillRange(from, to, c.invisible)
  // Control characters that are no white space, which nobody writes within a word but to hide it.
  for (const [from, to] of [
    [0x00, 0x08],
    [0x0e, 0x1f],
    [0x7f, 0x84],
    [0x86, 0x9f],
  ] as const)
    fillRange(from, to, c.invisible)
  const unseen = invisibles()
  for (let i = 0; i < unseen.length; i += 2) fillRange(unseen[i] as number, unseen[i + 1] as number, c.invisible)
  for (const end of '…。！？।') letterCodes[end.charCodeAt(0)] = c.sentenceEnd
}

/** Beyond the basic plane one by one: the ranges there are small. */
function fillRange(from: number, to: number, code: number): void {
  letterCodes.fill(code, from, to + 1)
  for (let codePoint = Math.max(from, 0x10000); codePoint <= to; codePoint++) beyondBasicPlane.set(codePoint, code)
}

function foldUnit(unit: number): void {
  const codes = foldWord(
    String.fromCharCode(unit)
      .normalize('NFKD')
      .replace(/\P{ASCII}/gu, ''),
  )
  letterCodes[unit] = codes.length === 1 ? (codes[0] as number) : codes.length === 0 ? c.separator : c.several
  if (codes.length > 1) severalLetters.set(unit, codes)
}

function fillAstral(): void {
  for (let codePoint = 0x1d400; codePoint <= 0x1d7ff; codePoint++) {
    const codes = foldWord(
      String.fromCodePoint(codePoint)
        .normalize('NFKD')
        .replace(/\P{ASCII}/gu, ''),
    )
    if (codes.length === 1) beyondBasicPlane.set(codePoint, codes[0] as number)
  }
  // Squared, circled and negative capital letters, and those of which flags are made.
  for (const first of [0x1f130, 0x1f150, 0x1f170, 0x1f1e6])
    for (let letter = 0; letter < 26; letter++) beyondBasicPlane.set(first + letter, letter + 1)
}

fillCodes()
fillAstral()
