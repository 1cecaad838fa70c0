import { useState } from 'react'
import { useSpeech } from '../text/text.tsx'
import { CopyButton } from './copy.tsx'
import { Tabs } from './tabs.tsx'

export type CodeSample = { readonly id: string; readonly title: string; readonly code: string; readonly note?: string }

/** Text to paste. */
export function CodeBlock({ code, label }: { readonly code: string; readonly label: string }) {
  return (
    <div className="code">
      <CopyButton label={label} read={() => code} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <section tabIndex={0} aria-label={label}>
        <pre>{code}</pre>
      </section>
    </div>
  )
}

/** The same thing in several languages; which one somebody reads is remembered. */
export function CodeTabs({ samples }: { readonly samples: readonly CodeSample[] }) {
  const { t } = useSpeech()
  const [chosen, setChosen] = useState(() => localStorage.getItem('ponto.sample') ?? '')
  const shown = samples.find((sample) => sample.id === chosen) ?? samples[0]
  if (!shown) return null
  const choose = (id: string): void => {
    setChosen(id)
    localStorage.setItem('ponto.sample', id)
  }
  return (
    <Tabs label={t('sample.language')} tabs={samples} selected={shown.id} onSelect={choose}>
      {shown.note && <p className="quiet code-note">{shown.note}</p>}
      <CodeBlock code={shown.code} label={shown.title} />
    </Tabs>
  )
}
