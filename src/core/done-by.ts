/**
 * What a person does about it, in a message of the API: the mutation, and the command of those who sit at a terminal.
 * @param command without `sluice`
 */
export const doneBy = (mutation: string, command: string): string => `\`${mutation}\` (\`sluice ${command}\`)`;
