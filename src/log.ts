import { type DestinationStream, type Logger, pino, stdSerializers } from 'pino';
import type { LogLevel } from './config.ts';
import { openedSecrets } from './opened-secrets.ts';

export type Log = Logger;

export interface LogOptions {
  level: LogLevel;
  /** Where lines go; standard output unless told. */
  destination?: DestinationStream;
}

const SECRET_KEYS = ['password', 'token', 'secret', 'authorization', 'credentials', 'cookie'];

/**
 * One JSON line per event. Secrets are taken out of every string that is logged, error messages and stacks included:
 * git and pg put the whole URL, password and all, into the errors they throw.
 */
export function createLog({ level, destination }: LogOptions): Log {
  return pino(
    {
      level,
      base: undefined,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
      serializers: { err: stdSerializers.err, error: stdSerializers.err },
      hooks: { streamWrite: (line) => openedSecrets.hide(withoutSecrets(line)) },
    },
    ...(destination ? [destination] : []),
  );
}

/**
 * `scheme://user:password@host` keeps its user and loses its password; `scheme://token@host`, as git hosts use it, loses
 * the token. Works on any text, a JSON line included.
 */
export function withoutSecrets(text: string): string {
  return withoutTokens(text).replace(
    // Up to the last @ before the host ends: a password may itself hold an unescaped @ or :.
    /([a-z][a-z0-9+.-]*:\/\/)([^\s"'<>/?#]*)@/gi,
    (_whole, scheme: string, userInfo: string) => {
      const colon = userInfo.indexOf(':');
      const user = colon < 0 ? '' : userInfo.slice(0, colon);
      return `${scheme}${user}${colon < 0 ? '' : ':'}[redacted]@`;
    },
  );
}

/** Tokens of ours and of identity providers, and whatever stands after Bearer, wherever they are in a text. */
function withoutTokens(text: string): string {
  if (!/sluice_|bearer|eyJ/i.test(text)) return text;
  return text
    .replace(/sluice_[0-9A-Za-z]{20,}/g, 'sluice_[redacted]')
    .replace(/\b(bearer)\s+[\w.~+/=-]{8,}/gi, '$1 [redacted]')
    .replace(/\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, '[redacted]');
}
