import { createDOMRenderer, FluentProvider, RendererProvider } from '@fluentui/react-components'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useEffect } from 'react'
import { ApiError } from '../api/request.ts'
import { SpeechProvider } from '../text/text.tsx'
import { PreferencesProvider, usePreferences } from './preferences.tsx'
import { router } from './router.tsx'
import { SessionGate } from './session.tsx'
import { themes } from './theme.ts'

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      // What the server refused it refuses again; what did not reach it may the next time.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
    },
  },
})

/** Styles that scripts make carry the nonce of the page's policy. */
const renderer = createDOMRenderer(document, { styleElementAttributes: { nonce: findNonce() } })

function findNonce(): string {
  return document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')?.nonce ?? ''
}

export function App() {
  return (
    <RendererProvider renderer={renderer}>
      <QueryClientProvider client={queries}>
        <PreferencesProvider>
          <Themed />
        </PreferencesProvider>
      </QueryClientProvider>
    </RendererProvider>
  )
}

function Themed() {
  const { appearance, language } = usePreferences()
  // Scroll bars and the browser's own pickers.
  useEffect(() => {
    document.documentElement.style.colorScheme = appearance
  }, [appearance])
  return (
    <FluentProvider theme={themes[appearance]} className="portal" data-appearance={appearance}>
      <SpeechProvider language={language}>
        <SessionGate>
          <RouterProvider router={router} />
        </SessionGate>
      </SpeechProvider>
    </FluentProvider>
  )
}
