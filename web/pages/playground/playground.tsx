import { Button, Field, Input, Select, Textarea } from '@fluentui/react-components'
import { DeleteRegular, SendRegular, StopRegular } from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { type KeyboardEvent, useEffect, useRef, useState } from 'react'
import { deploymentsQuery } from '../../api/queries.ts'
import { useSpeech } from '../../text/text.tsx'
import { CopyButton } from '../../ui/copy.tsx'
import { Page } from '../../ui/page.tsx'
import { Empty, ErrorNote, Loaded } from '../../ui/states.tsx'
import { isEmbedding } from '../deployments/describe.ts'
import { AnswerFacts } from './answer-facts.tsx'
import { emptySettings, makeRequest, readFragment, type Settings, writeFragment } from './settings.ts'
import { type Answer, type ChatMessage, streamChat } from './stream-chat.ts'

/** One question and what came of it. */
type Turn = {
  readonly id: number
  readonly question: string
  readonly request: object
  readonly answer: Answer | undefined
  readonly error: unknown
}

export function Playground() {
  const { t } = useSpeech()
  const deployments = useQuery(deploymentsQuery)
  return (
    <Page title={t('nav.playground')} intro={t('playground.intro')}>
      <Loaded query={deployments}>
        {(list) => {
          const names = list.filter((one) => !isEmbedding(one)).map(({ name }) => name)
          if (names.length > 0) return <Chat names={names} />
          return (
            <Empty title={t('deployments.none')} text={t('playground.noneText')}>
              <Link to="/deployments">{t('deployments.deploy')}</Link>
            </Empty>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Chat({ names }: { readonly names: readonly string[] }) {
  const { t } = useSpeech()
  const { deployment: wanted } = useSearch({ from: '/playground' })
  const navigate = useNavigate()
  const [shared] = useState(() => readFragment(location.hash))
  const [settings, setSettings] = useState(shared?.settings ?? emptySettings)
  const [draft, setDraft] = useState(shared?.draft ?? '')
  const [turns, setTurns] = useState<readonly Turn[]>([])
  const running = useRef<AbortController | undefined>(undefined)
  const [isRunning, setRunning] = useState(false)
  const end = useRef<HTMLDivElement>(null)
  const name = names.find((one) => one.toLowerCase() === wanted?.toLowerCase()) ?? (names[0] as string)

  useEffect(() => () => running.current?.abort(), [])
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is new stands at the end
  useEffect(() => {
    // In newer browsers it gives a promise, which is no way to clean up.
    end.current?.scrollIntoView({ block: 'nearest' })
  }, [turns])

  async function ask(): Promise<void> {
    const question = draft.trim()
    if (question === '' || isRunning) return
    const said = turns.flatMap((turn): ChatMessage[] =>
      turn.answer?.text
        ? [
            { role: 'user', content: turn.question },
            { role: 'assistant', content: turn.answer.text },
          ]
        : [],
    )
    const request = makeRequest(name, settings, [...said, { role: 'user', content: question }])
    const id = turns.length
    const update = (part: Partial<Turn>) =>
      setTurns((before) => before.map((turn) => (turn.id === id ? { ...turn, ...part } : turn)))
    setTurns([...turns, { id, question, request, answer: undefined, error: undefined }])
    setDraft('')
    setRunning(true)
    const abort = new AbortController()
    running.current = abort
    try {
      await streamChat(request, abort.signal, (answer) => update({ answer }))
    } catch (error) {
      if (!abort.signal.aborted) update({ error })
    }
    setRunning(false)
  }

  function sendOnEnter(event: KeyboardEvent): void {
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    void ask()
  }
  return (
    <div className="playground">
      <SettingsPanel
        names={names}
        name={name}
        settings={settings}
        draft={draft}
        onName={(deployment) => void navigate({ to: '/playground', search: { deployment } })}
        onSettings={setSettings}
      />
      <section className="chat" aria-label={t('playground.conversation')}>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard */}
        <div className="turns" role="log" aria-busy={isRunning} tabIndex={0} aria-label={t('playground.conversation')}>
          {turns.length === 0 && <Empty title={t('playground.empty')} text={t('playground.emptyText')} />}
          {turns.map((turn, index) => (
            <article key={turn.id} className="turn">
              <p className="bubble is-user">{turn.question}</p>
              {turn.answer?.text && <p className="bubble">{turn.answer.text}</p>}
              {isRunning && index === turns.length - 1 && !turn.answer?.text && (
                <p className="bubble quiet">{t('playground.waiting')}</p>
              )}
              {turn.error !== undefined && <ErrorNote error={turn.error} />}
              {turn.answer && <AnswerFacts answer={turn.answer} request={turn.request} />}
            </article>
          ))}
          <div ref={end} />
        </div>
        <div className="composer">
          <Textarea
            aria-label={t('playground.message')}
            placeholder={t('playground.message')}
            value={draft}
            resize="vertical"
            onChange={(_event, { value }) => setDraft(value)}
            onKeyDown={sendOnEnter}
          />
          <div className="composer-actions">
            <span className="quiet">{t('playground.enter')}</span>
            <Button
              appearance="subtle"
              icon={<DeleteRegular />}
              disabled={turns.length === 0 || isRunning}
              onClick={() => setTurns([])}
            >
              {t('playground.clear')}
            </Button>
            {isRunning ? (
              <Button icon={<StopRegular />} onClick={() => running.current?.abort()}>
                {t('playground.stop')}
              </Button>
            ) : (
              <Button
                appearance="primary"
                icon={<SendRegular />}
                disabled={draft.trim() === ''}
                onClick={() => void ask()}
              >
                {t('playground.send')}
              </Button>
            )}
          </div>
        </div>
      </section>
    </div>
  )
}

type PanelProps = {
  readonly names: readonly string[]
  readonly name: string
  readonly settings: Settings
  readonly draft: string
  onName(name: string): void
  onSettings(settings: Settings): void
}

function SettingsPanel({ names, name, settings, draft, onName, onSettings }: PanelProps) {
  const { t } = useSpeech()
  const numbers = [
    { field: 'temperature', label: t('playground.temperature'), max: 2, step: 0.1 },
    { field: 'topP', label: t('playground.topP'), max: 1, step: 0.05 },
    { field: 'maxTokens', label: t('playground.maxTokens'), max: undefined, step: 1 },
    { field: 'seed', label: t('playground.seed'), max: undefined, step: 1 },
  ] as const
  return (
    <section className="section settings stack" aria-label={t('playground.settings')}>
      <Field label={t('deployments.one')}>
        <Select value={name} onChange={(_event, { value }) => onName(value)}>
          {names.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </Select>
      </Field>
      <Field label={t('playground.system')}>
        <Textarea
          rows={5}
          resize="vertical"
          value={settings.system}
          placeholder={t('playground.systemHint')}
          onChange={(_event, { value }) => onSettings({ ...settings, system: value })}
        />
      </Field>
      <div className="settings-numbers">
        {numbers.map(({ field, label, max, step }) => (
          <Field key={field} label={label}>
            <Input
              type="number"
              min={0}
              step={step}
              {...(max !== undefined && { max })}
              value={settings[field]}
              placeholder={t('playground.modelDefault')}
              onChange={(_event, { value }) => onSettings({ ...settings, [field]: value })}
            />
          </Field>
        ))}
      </div>
      <div className="row quiet">
        {t('playground.share')}
        <CopyButton
          label={t('playground.shareLink')}
          read={() => location.origin + location.pathname + location.search + writeFragment({ settings, draft })}
        />
      </div>
    </section>
  )
}
