/** What the shell is told; `sluice --help` lists them, scripts rely on them. */
export const EXIT = {
  OK: 0,
  REFUSED: 1,
  USAGE: 2,
  UNREACHABLE: 3,
  FAILED: 4,
  TERMINATED: 5,
  TIMEOUT: 6,
  DIFFERENT: 7,
  INTERRUPTED: 130,
} as const;

export const EXIT_HELP = `
Exit codes:
    0  done; with --wait and in watch: the release or the rollback SUCCEEDED
    1  refused: the input is not valid, or the server says no
    2  the command line is wrong
    3  no Sluice server answers
    4  the release or the rollback FAILED
    5  it was TERMINATED
    6  --timeout is over and it has not ended
    7  diff: the server has something else than the files
   78  serve and migrate: a setting is wrong; starting again does not help
  130  interrupted; a release goes on without us

Environment:
  SLUICE_SERVER  address of the server (default http://127.0.0.1:4000);
                 --server wins
  SLUICE_TOKEN   who you are, where the server asks: an API token, or a token
                 of your identity provider
  COLUMNS        width of tables and help where the output is no terminal
  NO_COLOR       any value: no colours
`;

/** Ends the program with a message for a person and a code for a script; never with a stack. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: number;
  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** @param status of a release that has ended */
export function exitCodeOf(status: string): number {
  if (status === 'SUCCEEDED') return EXIT.OK;
  return status === 'TERMINATED' ? EXIT.TERMINATED : EXIT.FAILED;
}
