import { spell } from '../core/duration.ts';
import { ABOUT, KINDS, nounOf, SPECS } from '../core/kinds/index.ts';
import { wordsOf, type ChoiceShape, type Field, type ObjectShape, type Shape } from '../core/kinds/shape.ts';

/** Every field of every kind, as Markdown: the part of docs/manifests.md that is made from `core/kinds`. */
export function fieldTables(): string {
  return KINDS.flatMap((kind) => {
    const inner = [...innerOf(SPECS[kind])].filter((each) => !shared.has(each));
    return [`## ${kind}`, ABOUT[kind], table(SPECS[kind].fields), ...inner.flatMap(section)];
  })
    .concat('## In several kinds', [...shared].flatMap(section))
    .join('\n\n');
}

type Part = ObjectShape | ChoiceShape;

/** Objects that more than one kind has. */
const shared = new Set(
  KINDS.flatMap((kind) => [...innerOf(SPECS[kind])]).filter((each, at, all) => all.indexOf(each) !== at),
);

/** The objects below one, from the outside in, each once. */
function innerOf(shape: Shape, found = new Set<Part>()): Set<Part> {
  const parts: Shape[] =
    shape.is === 'object'
      ? Object.values(shape.fields).map((field) => field.shape)
      : shape.is === 'choice'
        ? Object.values(shape.choices).flatMap((each) =>
            Object.values<Field>(each.shape.fields).map((field) => field.shape),
          )
        : shape.is === 'list' || shape.is === 'map'
          ? [shape.of]
          : shape.is === 'json' && shape.by
            ? Object.values(shape.by.shapes)
            : [];
  for (const part of parts) {
    if ((part.is === 'object' || part.is === 'choice') && !found.has(part)) found.add(part);
    innerOf(part, found);
  }
  return found;
}

function section(shape: Part): string[] {
  const heading = `### ${shape.name}`;
  if (shape.is === 'object') return [heading, shape.aboutInput ?? shape.about, table(shape.fields)];
  const choices = Object.entries(shape.choices).flatMap(([type, { about, word, shape: each }]) => [
    `\`type: ${type}\`: ${word ?? about}`,
    ...(Object.keys(each.fields).length > 0 ? [table(each.fields)] : []),
  ]);
  return [heading, shape.about, ...choices];
}

function table(fields: Record<string, Field>): string {
  const rows = Object.entries(fields).map(([key, field]) => {
    const cells = [`\`${key}\``, valueOf(field.shape), defaultOf(field), field.aboutInput ?? field.about];
    return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  return ['| field | value | when left out | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

function valueOf(shape: Shape): string {
  switch (shape.is) {
    case 'text':
      if (shape.refers) return `name of a${/^[AE]/.test(shape.refers) ? 'n' : ''} ${nounOf(shape.refers)}`;
      return shape.rule === 'name' ? 'name' : 'text';
    case 'integer':
      return `whole number, ${shape.least} to ${shape.most}`;
    case 'boolean':
      return 'true or false';
    case 'duration':
      return shape.least > 1 ? `duration, at least ${spell(shape.least)}` : 'duration';
    case 'words':
      return wordsOf(shape)
        .map((word) => `\`${word}\``)
        .join(', ');
    case 'list':
      return `${shape.single ? 'one or a list' : 'list'} of: ${valueOf(shape.of)}`;
    case 'map':
      return `map, ${shape.keys === 'file' ? 'by file, ' : ''}of: ${valueOf(shape.of)}`;
    case 'json':
      return shape.by ? `map, by ${shape.by.field}: ${Object.values(shape.by.shapes).map(link).join(', ')}` : 'map';
    case 'any':
      return 'anything';
    case 'object':
    case 'choice':
      return link(shape);
  }
}

const link = ({ name }: Part): string => `[${name}](#${name.toLowerCase()})`;

function defaultOf({ presence, shape, fallback, meant = fallback }: Field): string {
  if (presence === 'required') return '**needed**';
  if (meant === undefined) return '';
  const shown = shape.is === 'duration' ? spell(meant as number) : JSON.stringify(meant);
  return `\`${shown.replaceAll('"', '')}\``;
}
