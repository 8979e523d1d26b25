/** A bearer token that somebody typed: in memory alone, so a reload forgets it and no other page can read it. */
let token: string | null = null;

export const setToken = (text: string | null): void => {
  token = text;
};

export const authorization = (): Record<string, string> => (token === null ? {} : { Authorization: `Bearer ${token}` });
