/**
 * Characters that are read as Latin letters, by how they look. What Unicode itself calls compatible (fullwidth, mathematical, circled)
 * is not listed: normalisation knows it. Keyed by the lower-case form, so that both cases of a script's own words stay equal; where the
 * two cases look like different letters, the small one decides, since small letters are what words are disguised with.
 */
export const lookAlikes: ReadonlyMap<string, string> = new Map([
  // Latin letters that no normalisation takes apart
  ...pairs('ıɩɪꟾ', 'i'),
  ...pairs('ɑᴀɐⱥ', 'a'),
  ...pairs('ƀɓʙᴃƃ', 'b'),
  ...pairs('ƈɔᴄȼↄ', 'c'),
  ...pairs('đɖɗᴅðƌ', 'd'),
  ...pairs('ǝəɛᴇɇɘ', 'e'),
  ...pairs('ƒꜰⅎ', 'f'),
  ...pairs('ɡɠɢǥᶃ', 'g'),
  ...pairs('ħɦʜɥⱨ', 'h'),
  ...pairs('ȷᴊɉɟ', 'j'),
  ...pairs('ƙᴋʞⱪ', 'k'),
  ...pairs('łƚʟɫɭⱡǀ', 'l'),
  ...pairs('ᴍɱɯ', 'm'),
  ...pairs('ɴɲŋƞɳ', 'n'),
  ...pairs('øᴏɵ', 'o'),
  ...pairs('ƥᴘᵽ', 'p'),
  ...pairs('ʠɋ', 'q'),
  ...pairs('ʀɍɾɹɽ', 'r'),
  ...pairs('ꜱʂȿ', 's'),
  ...pairs('ŧᴛƭʈⱦʇ', 't'),
  ...pairs('ᴜʉʊ', 'u'),
  ...pairs('ᴠʋʌ', 'v'),
  ...pairs('ᴡⱳʍ', 'w'),
  ...pairs('ʏƴɏʎ', 'y'),
  ...pairs('ᴢƶȥʐⱬ', 'z'),
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['ß', 'ss'],
  // Cyrillic
  ...each('авеікмнорстухѕјһԁԛԝѵӏүҝѡ', 'abeikmhopctyxsjhdqwvlykw'),
  ...each('ԍԃҽҳҫӊӎқҡҟҭ', 'gdexchmkkkt'),
  // Greek
  ...each('αβγεζηικμνορτυχωϲϳ', 'abyeznikuvoptuxwcj'),
  // Armenian
  ...each('օսոհցգքյլզ', 'ounhgqpjlq'),
  // Cherokee, whose letters were modelled on Latin capitals
  ...each('ᎠᎡᎢᎥᎪᎫᎬᎳᎷᎻᏀᏃᏒᏚᏞᏟᏢᏦᏙᏴᏻᏩ', 'drtiajewmhgzrslcpkvbgg'),
  // Coptic and Lisu
  ...each('ⲁⲃⲉⲏⲓⲕⲙⲛⲟⲣⲥⲧⲩⲭ', 'abehikmnopctyx'),
  ...each('ꓐꓑꓓꓔꓖꓗꓙꓚꓜꓝꓟꓠꓡꓢꓣꓦꓧꓪꓫꓬꓮꓰꓲꓳꓴ', 'bpdtgkjczfmnlsrvhwxyaeiou'),
  // Marks that are typed instead of their plain form
  ...pairs('‘’‚‛ʼʹ′＇`´', "'"),
  ...pairs('“”„‟″', '"'),
  ...pairs('‐‑‒–—―−﹘⁃', '-'),
])

function pairs(characters: string, letter: string): [string, string][] {
  return [...characters].map((character) => [character.toLowerCase(), letter])
}

function each(characters: string, letters: string): [string, string][] {
  return [...characters].map((character, i) => [character.toLowerCase(), letters[i] as string])
}

/** Alphabets in brackets, boxes and discs, and the one that flags are made of: normalisation leaves them or adds the brackets. */
export const letterRanges: readonly (readonly [first: number, last: number])[] = [
  [0x249c, 0x24b5],
  [0x1f110, 0x1f129],
  [0x1f130, 0x1f149],
  [0x1f150, 0x1f169],
  [0x1f170, 0x1f189],
  [0x1f1e6, 0x1f1ff],
]
