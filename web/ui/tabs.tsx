import { type KeyboardEvent, type ReactNode, useId } from 'react'

type Props = {
  readonly label: string
  readonly tabs: readonly { readonly id: string; readonly title: string }[]
  readonly selected: string
  onSelect(id: string): void
  /** What the selected tab shows. */
  readonly children: ReactNode
}

const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 }

/** Tabs as the ARIA patterns describe them: one stop for the Tab key, arrows go from one to the next. */
export function Tabs({ label, tabs, selected, onSelect, children }: Props) {
  const id = useId()

  function move(event: KeyboardEvent): void {
    const current = tabs.findIndex((tab) => tab.id === selected)
    const step = steps[event.key]
    const next =
      event.key === 'Home' ? 0 : event.key === 'End' ? tabs.length - 1 : step === undefined ? undefined : current + step
    const tab = next === undefined ? undefined : tabs[(next + tabs.length) % tabs.length]
    if (!tab) return
    event.preventDefault()
    onSelect(tab.id)
    document.getElementById(`${id}-${tab.id}`)?.focus()
  }
  return (
    <div className="tabs">
      <div role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map((tab) => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            aria-selected={tab.id === selected}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === selected ? 0 : -1}
            onClick={() => onSelect(tab.id)}
          >
            {tab.title}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${selected}`}>
        {children}
      </div>
    </div>
  )
}
