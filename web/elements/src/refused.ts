/** The API refuses: trying again changes nothing before somebody signs in, or the page asks for something else. */
export class RefusedError extends Error {
  readonly code: string;
  constructor(message: string, code = 'REFUSED') {
    super(message);
    this.code = code;
  }
}
