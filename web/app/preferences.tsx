import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react'
import type { Language } from '../text/text.tsx'
import type { Appearance } from './theme.ts'

/** What somebody chose about how the portal looks. Kept in the browser; the system's own wishes hold until somebody chooses. */
export type Preferences = {
  readonly appearance: Appearance
  readonly language: Language
  setAppearance(appearance: Appearance): void
  setLanguage(language: Language): void
}

const Context = createContext<Preferences | undefined>(undefined)

export function usePreferences(): Preferences {
  return useContext(Context) as Preferences
}

export function PreferencesProvider({ children }: { readonly children: ReactNode }) {
  const system = useSystemAppearance()
  const [chosen, setAppearance] = useStored<Appearance>('ponto.appearance', ['light', 'dark'])
  const [language, setLanguage] = useStored<Language>('ponto.language', ['en', 'pt'])
  const preferences = useMemo(
    () => ({
      appearance: chosen ?? system,
      language: language ?? (navigator.language.toLowerCase().startsWith('pt') ? ('pt' as const) : ('en' as const)),
      setAppearance,
      setLanguage,
    }),
    [chosen, system, language, setAppearance, setLanguage],
  )
  return <Context value={preferences}>{children}</Context>
}

function useSystemAppearance(): Appearance {
  const query = useMemo(() => matchMedia('(prefers-color-scheme: dark)'), [])
  const [isDark, setDark] = useState(query.matches)
  useEffect(() => {
    const follow = () => setDark(query.matches)
    query.addEventListener('change', follow)
    return () => query.removeEventListener('change', follow)
  }, [query])
  return isDark ? 'dark' : 'light'
}

function useStored<T extends string>(name: string, allowed: readonly T[]): [T | undefined, (value: T) => void] {
  const [value, setValue] = useState(() => allowed.find((one) => one === localStorage.getItem(name)))
  return [
    value,
    (next) => {
      localStorage.setItem(name, next)
      setValue(next)
    },
  ]
}
