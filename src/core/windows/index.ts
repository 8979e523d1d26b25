/** Release windows: pure, from definitions and an instant to open or closed. docs/windows.md has the rules. */
export { occurrences, occurrencesBetween, type Occurrence } from './coverage.ts';
export { selectWindows, type WindowSubject } from './select.ts';
export { jitterOf, spreadAt, startIn, type Spread } from './spread.ts';
export { stretchesOf, windowState, type Stretch, type WindowState } from './state.ts';
export { type ReleaseWindow } from './window.ts';
export { clockChangesIn, parseInstant, type ClockChange } from './zones.ts';
