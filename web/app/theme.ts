import { type BrandVariants, createDarkTheme, createLightTheme, type Theme } from '@fluentui/react-components'

/** Ponto's own blue-green, from dark to light; 80 carries white text. */
const brand: BrandVariants = {
  10: '#020506',
  20: '#0b1c22',
  30: '#0c2f3a',
  40: '#0b3d4c',
  50: '#094b5e',
  60: '#075a71',
  70: '#076279',
  80: '#0b6580',
  90: '#1f7c97',
  100: '#3a90aa',
  110: '#52a3bb',
  120: '#6ab5cc',
  130: '#83c6da',
  140: '#9dd6e7',
  150: '#b9e5f2',
  160: '#d7f3fb',
}

const light = createLightTheme(brand)
const dark: Theme = {
  ...createDarkTheme(brand),
  colorStatusDangerForeground1: '#eb8f93',
  colorBrandForeground1: brand[120],
  colorBrandForeground2: brand[130],
  colorBrandForegroundLink: brand[130],
  colorBrandForegroundLinkHover: brand[140],
  colorBrandForegroundLinkPressed: brand[120],
}

export type Appearance = 'light' | 'dark'

export const themes: Readonly<Record<Appearance, Theme>> = { light, dark }
