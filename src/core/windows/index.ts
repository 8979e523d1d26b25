/** Release windows: pure, from definitions and an instant to open or closed. docs/windows.md has the rules. */
export { occurrences } from './coverage.ts';
export { selectWindows, type WindowSubject } from './select.ts';
export { jitterOf, spreadAt, startIn, type Spread } from './spread.ts';
export { windowState, type WindowState } from './state.ts';
export { type ReleaseWindow } from './window.ts';
export { parseInstant } from './zones.ts';
