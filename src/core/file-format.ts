import { quote } from './wording.ts';

/** Formats whose text can be edited by JSON paths. */
export type FileFormat = 'YAML' | 'JSON' | 'TOML' | 'ENV' | 'PROPERTIES';

const NAMES: [RegExp, FileFormat][] = [
  [/\.ya?ml$/i, 'YAML'],
  [/\.jsonc?$/i, 'JSON'],
  [/\.toml$/i, 'TOML'],
  [/(?:^|\/)\.env(?:\.[\w-]+)*$|\.env$/i, 'ENV'],
  [/\.properties$/i, 'PROPERTIES'],
];

/** By the file's name alone; undefined where JSON paths cannot be promoted. */
export const formatNamed = (file: string): FileFormat | undefined => NAMES.find(([name]) => name.test(file))?.[1];

/** Why a file of this name cannot be promoted by JSON paths, in words that name it; undefined when it can. */
export function refuseFileName(file: string): string | undefined {
  return formatNamed(file)
    ? undefined
    : `JSON paths cannot be promoted in ${quote(file)}: files that end in .yaml, .yml, .json, .jsonc, .toml, .env or .properties can`;
}
