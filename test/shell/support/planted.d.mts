export function outdated(): string[];
