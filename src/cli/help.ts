import { type Command, type Help, Option } from 'commander';

/** Where neither a terminal nor COLUMNS says how wide it is. */
const WIDTH = 80;
/** Terms that are wider stand on a line of their own, with the text below. */
const TERM = 26;

/** Help of every command: never wider than the terminal, with the options that all commands take, and what is required marked. */
export function configureHelp(program: Command, width = WIDTH): void {
  const shown = new Option('-V, --version', 'print the version of this command');
  program.configureOutput({ getOutHelpWidth: () => width, getErrHelpWidth: () => width }).configureHelp({
    showGlobalOptions: true,
    minWidthToWrap: 20,
    // Commands have a --version of their own, so the program parses none: it is only listed.
    visibleOptions(command) {
      const own = command.options.filter(({ hidden }) => !hidden);
      const help = command.createOption('-h, --help', 'show this help');
      return command.parent ? [...own, help] : [...own, shown, help];
    },
    optionDescription(option) {
      const choices = option.argChoices ? `: ${option.argChoices.join(', ')}` : '';
      const preset = typeof option.defaultValue === 'string' || typeof option.defaultValue === 'number';
      const notes = [option.mandatory && 'required', preset && `default: ${option.defaultValue as string}`];
      const said = notes.filter(Boolean).join(', ');
      return `${option.description}${choices}${said && ` (${said})`}`;
    },
    argumentDescription(argument) {
      return `${argument.description}${argument.argChoices ? `: ${argument.argChoices.join(', ')}` : ''}`;
    },
    subcommandTerm: (command) => command.name(),
    subcommandDescription: (command) => command.summary() || command.description(),
    formatItem(term, termWidth, description, helper: Help) {
      const indent = '  ';
      if (!description) return indent + term;
      const column = Math.min(termWidth, TERM) + 2;
      const room = (helper.helpWidth ?? WIDTH) - indent.length - column;
      const lines = helper.boxWrap(description, room).split('\n');
      const below = lines.map((line) => indent + ' '.repeat(column) + line);
      if (term.length > TERM) return [indent + term, ...below].join('\n');
      return [indent + term.padEnd(column) + lines[0]!, ...below.slice(1)].join('\n');
    },
  });
}
