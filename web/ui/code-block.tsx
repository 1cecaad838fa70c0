import { Tab, TabList } from '@fluentui/react-components'
import { useId, useState } from 'react'
import { useSpeech } from '../text/text.tsx'
import { CopyButton } from './copy.tsx'

export type CodeSample = { readonly id: string; readonly title: string; readonly code: string; readonly note?: string }

/** Text to paste. */
export function CodeBlock({ code, label }: { readonly code: string; readonly label: string }) {
  return (
    <div className="code">
      <CopyButton label={label} read={() => code} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
      <pre tabIndex={0} role="region" aria-label={label}>
        {code}
      </pre>
    </div>
  )
}

/** The same thing in several languages; which one somebody reads is remembered. */
export function CodeTabs({ samples }: { readonly samples: readonly CodeSample[] }) {
  const { t } = useSpeech()
  const [chosen, setChosen] = useState(() => localStorage.getItem('ponto.sample') ?? '')
  const id = useId()
  const shown = samples.find((sample) => sample.id === chosen) ?? samples[0]
  if (!shown) return null
  return (
    <div className="code-tabs">
      <TabList
        size="small"
        selectedValue={shown.id}
        aria-label={t('sample.language')}
        onTabSelect={(_event, { value }) => {
          setChosen(String(value))
          localStorage.setItem('ponto.sample', String(value))
        }}
      >
        {samples.map((sample) => (
          <Tab key={sample.id} value={sample.id} id={`${id}-${sample.id}`}>
            {sample.title}
          </Tab>
        ))}
      </TabList>
      <div role="tabpanel" aria-labelledby={`${id}-${shown.id}`}>
        {shown.note && <p className="quiet code-note">{shown.note}</p>}
        <CodeBlock code={shown.code} label={shown.title} />
      </div>
    </div>
  )
}
