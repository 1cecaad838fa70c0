import { Badge, Button, Select, Tooltip } from '@fluentui/react-components'
import {
  BoardRegular,
  BotRegular,
  ChatRegular,
  DocumentBulletListRegular,
  HistoryRegular,
  KeyRegular,
  NavigationRegular,
  RocketRegular,
  SignOutRegular,
  WeatherMoonRegular,
  WeatherSunnyRegular,
} from '@fluentui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { type ComponentType, useEffect, useRef, useState } from 'react'
import { healthQuery, statusQuery } from '../api/queries.ts'
import { type Language, languages, type TextName, useSpeech } from '../text/text.tsx'
import { Window } from '../ui/window.tsx'
import { Logo } from './logo.tsx'
import { usePreferences } from './preferences.tsx'
import { useSession } from './session.tsx'

type Place = { readonly to: string; readonly name: TextName; readonly Icon: ComponentType }

const places: readonly Place[] = [
  { to: '/', name: 'nav.overview', Icon: BoardRegular },
  { to: '/deployments', name: 'nav.deployments', Icon: RocketRegular },
  { to: '/models', name: 'nav.models', Icon: BotRegular },
  { to: '/playground', name: 'nav.playground', Icon: ChatRegular },
  { to: '/keys', name: 'nav.keys', Icon: KeyRegular },
  { to: '/requests', name: 'nav.requests', Icon: DocumentBulletListRegular },
  { to: '/activity', name: 'nav.activity', Icon: HistoryRegular },
]

/** What stands around every page. */
export function Shell() {
  const { t } = useSpeech()
  const [isOpen, setOpen] = useState(false)
  const path = useRouterState({ select: ({ location }) => location.pathname })
  const main = useRef<HTMLElement>(null)
  const isFirst = useRef(true)

  // Another page: the menu of small screens closes, and who listens instead of looking begins at its top.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what it waits for
  useEffect(() => {
    setOpen(false)
    if (!isFirst.current) main.current?.focus()
    isFirst.current = false
    window.scrollTo(0, 0)
  }, [path])

  return (
    <div className="shell">
      <a className="skip" href="#main">
        {t('nav.skip')}
      </a>
      <header className="top">
        <Button
          className="menu-button"
          appearance="subtle"
          icon={<NavigationRegular />}
          aria-label={t('nav.menu')}
          aria-expanded={isOpen}
          aria-controls="nav"
          onClick={() => setOpen(!isOpen)}
        />
        <Link to="/" className="brand">
          <Logo /> Ponto
        </Link>
        <ServerName />
        <TopActions />
      </header>
      <nav id="nav" className={isOpen ? 'nav is-open' : 'nav'} aria-label={t('nav.label')}>
        {places.map(({ to, name, Icon }) => (
          <Link key={to} to={to} activeOptions={{ exact: to === '/' }} activeProps={{ 'aria-current': 'page' }}>
            <Icon /> {t(name)}
          </Link>
        ))}
      </nav>
      <main id="main" ref={main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  )
}

function ServerName() {
  const { t } = useSpeech()
  const { data: status } = useQuery(statusQuery)
  const { data: health, isError } = useQuery(healthQuery)
  const isReady = health?.isReady ?? false
  return (
    <div className="server-name">
      <span className="server-resource">{status?.name}</span>
      {(health || isError) && (
        <Badge appearance="tint" color={isError ? 'danger' : isReady ? 'success' : 'warning'}>
          {isError ? t('health.away') : isReady ? t('health.ready') : t('health.notReady')}
        </Badge>
      )}
    </div>
  )
}

function TopActions() {
  const { t } = useSpeech()
  const { appearance, language, setAppearance, setLanguage } = usePreferences()
  const { signOut } = useSession()
  const [isLeaving, setLeaving] = useState(false)
  const isDark = appearance === 'dark'
  return (
    <div className="top-actions">
      <Select
        size="small"
        appearance="filled-lighter"
        aria-label={t('nav.language')}
        value={language}
        onChange={(_event, { value }) => setLanguage(value as Language)}
      >
        {Object.entries(languages).map(([code, name]) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </Select>
      <Tooltip content={isDark ? t('nav.light') : t('nav.dark')} relationship="label">
        <Button
          appearance="subtle"
          icon={isDark ? <WeatherSunnyRegular /> : <WeatherMoonRegular />}
          onClick={() => setAppearance(isDark ? 'light' : 'dark')}
        />
      </Tooltip>
      <Tooltip content={t('nav.signOut')} relationship="label">
        <Button appearance="subtle" icon={<SignOutRegular />} onClick={() => setLeaving(true)} />
      </Tooltip>
      {isLeaving && (
        <Window
          title={t('nav.signOut')}
          onClose={() => setLeaving(false)}
          actions={
            <>
              <Button onClick={() => void signOut(true)}>{t('signOut.everywhere')}</Button>
              <Button appearance="primary" onClick={() => void signOut(false)}>
                {t('signOut.here')}
              </Button>
            </>
          }
        >
          {t('signOut.text')}
        </Window>
      )}
    </div>
  )
}
