import { Monitor, Moon, Sun } from 'lucide-react';
import { useState } from 'react';
import { Button } from 'react-aria-components';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const ICONS = { system: Monitor, light: Sun, dark: Moon };
const KEY = 'sluice-theme';

const kept = (): Theme => THEMES.find((each) => each === localStorage.getItem(KEY)) ?? 'system';

/** What the browser prefers until somebody says otherwise. */
function show(theme: Theme): void {
  if (theme === 'system') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = theme;
}
show(kept());

export function ThemeSwitch() {
  const [theme, setTheme] = useState(kept);
  const Icon = ICONS[theme];
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <Button
      className="icon-button"
      aria-label={`Theme: ${theme}. Change to ${next}`}
      onPress={() => {
        localStorage.setItem(KEY, next);
        show(next);
        setTheme(next);
      }}
    >
      <Icon size={18} aria-hidden />
    </Button>
  );
}
