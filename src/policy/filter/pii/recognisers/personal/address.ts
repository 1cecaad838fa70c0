import type { Recogniser } from '../../recogniser.ts'

const word = `[A-Z][A-Za-zÀ-ÿ'.-]{0,24}`
const number = String.raw`\d{1,5}[A-Za-z]?`
const anglo = String.raw`${number} (?:[NSEW]\.? )?(?:${word} ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Way|Parkway|Pkwy|Highway|Hwy|Terrace|Circle)`
const iberian = String.raw`(?:Rua|Avenida|Travessa|Calle|Plaza|Praça|Paseo|Via|Viale|Piazza|Corso) (?:(?:de|da|do|das|dos|del|della|la|las|los|di) ){0,2}(?:${word} ?){1,3},? (?:n\.? ?º? ?)?${number}`
const german = String.raw`[A-Z][A-Za-zÀ-ÿ-]{2,28}(?:straße|strasse|str\.|weg|allee|gasse|platz|ring|damm|ufer) ${number}(?:, ?\d{5} ${word})?`
const french = String.raw`\d{1,4}(?: bis| ter)?,? (?:rue|avenue|boulevard|chemin|impasse|allée|quai) (?:(?:de|du|des|la|le|les|d'|l') ?){0,2}${word}(?: ${word}){0,2}`

/** Street and house number in the two orders of the western world. Names of places are beyond patterns. */
export const address: Recogniser = {
  type: 'Address',
  needs: 'digit',
  patterns: [
    // 12 Main Street, Springfield, IL 62701
    {
      source: String.raw`\b${anglo}\.?,? (?:(?:Apt|Suite|Unit|Flat)\.? ?#?[A-Za-z0-9]{1,5},? )?(?:${word} ?){1,3},? [A-Z]{2} \d{5}(?:-\d{4})?\b`,
    },
    // Lindenstraße 5, 10969 Berlin; 8 bis, rue de la République
    { source: String.raw`\b(?:${german}|${french})` },
    // 12 Main Street; Rua das Flores, 120
    { source: String.raw`\b(?:${anglo}|${iberian})\b`, isWeak: true },
  ],
  context: [
    'address',
    'live at',
    'lives at',
    'living at',
    'home',
    'ship to',
    'deliver to',
    'sent to',
    'located at',
    'resides at',
    'street',
    'mail to',
    'morada',
    'endereço',
    'endereco',
    'mora',
    'moro',
    'vivo',
    'reside',
    'anschrift',
    'adresse',
    'wohne',
    'wohnt',
    'wohnhaft',
    'habite',
    'domicilié',
    'dirección',
    'direccion',
    'domicilio',
    'indirizzo',
    'abita',
  ],
  edges: 'any',
}
