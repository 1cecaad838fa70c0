import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import { en } from './en.ts'

export const languages = { en: 'English', pt: 'Português' } as const
export type Language = keyof typeof languages
export type TextName = keyof typeof en
export type Texts = Readonly<Record<TextName, string>>
type Values = Readonly<Record<string, string | number>>

export type Speech = {
  readonly language: Language
  /** A text of the portal; `{name}` in it stands for a value. */
  t(name: TextName, values?: Values): string
  number(value: number): string
  time(iso: string): string
  date(iso: string): string
}

const Context = createContext<Speech | undefined>(undefined)

export function useSpeech(): Speech {
  return useContext(Context) as Speech
}

/** English is at hand at once; other languages are loaded when they are wanted. */
export function SpeechProvider({ language, children }: { readonly language: Language; readonly children: ReactNode }) {
  const [texts, setTexts] = useState<{ language: Language; texts: Texts } | undefined>({ language: 'en', texts: en })
  useEffect(() => {
    let isWanted = true
    void loadTexts(language).then((loaded) => isWanted && setTexts({ language, texts: loaded }))
    return () => {
      isWanted = false
    }
  }, [language])
  const speech = useMemo(() => texts && createSpeech(texts.language, texts.texts), [texts])
  useEffect(() => {
    if (speech) document.documentElement.lang = speech.language
  }, [speech])
  return speech ? <Context value={speech}>{children}</Context> : null
}

async function loadTexts(language: Language): Promise<Texts> {
  return language === 'en' ? en : (await import('./pt.ts')).pt
}

function createSpeech(language: Language, texts: Texts): Speech {
  const numbers = new Intl.NumberFormat(language)
  const times = new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeStyle: 'medium' })
  const dates = new Intl.DateTimeFormat(language, { dateStyle: 'medium' })
  return {
    language,
    t: (name, values) => texts[name].replace(/\{(\w+)\}/g, (whole, key: string) => String(values?.[key] ?? whole)),
    number: (value) => numbers.format(value),
    time: (iso) => times.format(new Date(iso)),
    date: (iso) => dates.format(new Date(iso)),
  }
}
