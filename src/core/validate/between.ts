import type {
  ApplicationSpec,
  ArgoCdSpec,
  Gate,
  MatchExpression,
  Metadata,
  PromotionPolicySpec,
} from '../definitions.ts';
import { whyNoAnalysis } from '../analysis.ts';
import { refuseFileName } from '../file-format.ts';
import { isPattern, isWhole } from '../file-pattern.ts';
import type { PromotedFiles } from '../file-pattern.ts';
import { secretsIn } from '../secrets.ts';
import { LIMITS, type Checks, type Path } from './rules.ts';
import { doneBy } from '../done-by.ts';
import { quote } from '../wording.ts';

/** Rules between the fields of one object, wherever it stands, by the name of its shape. */
export const BETWEEN: Record<string, (checks: Checks, value: never, path: Path) => void> = {
  Metadata(checks, { annotations }: Metadata, path) {
    const size = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
    if (size <= LIMITS.annotations) return;
    checks.invalid(`the annotations have ${size} characters; at most ${LIMITS.annotations} fit`, [
      ...path,
      'annotations',
    ]);
  },

  MatchExpression(checks, { operator, values }: MatchExpression, path) {
    const needsValues = operator === 'In' || operator === 'NotIn';
    const at = [...path, 'values'];
    if (needsValues && !values?.length) checks.invalid(`${operator} needs at least one value`, at);
    if (!needsValues && values?.length) checks.invalid(`${operator} has no values; remove them`, at);
  },

  Application(checks, { driver, sync, health }: ApplicationSpec, path) {
    if (sync?.type === 'argocd' && driver.type !== 'git')
      checks.invalid('argocd says which commit of a folder runs, so it needs driver git', [...path, 'sync']);
    if (health.type === 'argocd' && sync?.type !== 'argocd')
      checks.invalid('argocd is the Argo CD application that sync names: give sync of type argocd, too', [
        ...path,
        'health',
      ]);
  },

  ArgoCdSyncSource(checks, { token }: ArgoCdSpec, path) {
    refuseOpenToken(checks, token, path);
  },

  ArgoWorkflowParameters(checks, { token, parameters = {} }: { token?: string; parameters?: object }, path) {
    if (token !== undefined) refuseOpenToken(checks, token, path);
    for (const [name, value] of Object.entries(parameters)) {
      const at = [...path, 'parameters', name];
      if (name === '' || name.includes('=')) checks.invalid(`${quote(name)} is not the name of a parameter`, at);
      if (secretsIn([name, value]).length > 0)
        checks.invalid(
          'a secret would stand in the workflow for all to read: let its template take it from a Secret of its namespace',
          at,
        );
    }
  },

  PromotionPolicy(checks, { policy, locked }: PromotionPolicySpec, path) {
    locked.forEach((setting, i) => {
      const at = [...path, 'locked', i];
      if (policy[setting] === undefined) checks.invalid(`${setting} is locked and not set: set it, or unlock it`, at);
      if (locked.indexOf(setting) < i) checks.add('DUPLICATE', `${setting} is locked twice; once is enough`, at);
    });
  },

  VersionSource(checks, { file, jsonPath }: { file: string; jsonPath?: string }, path) {
    const refused = jsonPath !== undefined && refuseFileName(file);
    if (refused) checks.invalid(`${refused}; without jsonPath the text of the file is the version`, [...path, 'file']);
  },

  PromotedFile(checks, entry: PromotedFiles[string], path) {
    const file = String(path.at(-1));
    const refused = !isWhole(entry) && refuseFileName(file);
    if (refused) checks.invalid(`${refused}; without jsonPaths the whole file is promoted`, path);
    if (entry.except && !isPattern(file))
      checks.invalid(`${quote(file)} is one file, and nothing can be left out of it; remove except`, [
        ...path,
        'except',
      ]);
    if (isWhole(entry) && (entry.jsonPaths?.length ?? 0) > 1)
      checks.invalid('"*" is the whole file, and the other JSON paths say nothing; remove them or it', [
        ...path,
        'jsonPaths',
      ]);
  },

  AnalysisParameters(checks, parameters: Record<string, unknown>, path) {
    const wrong = whyNoAnalysis(parameters);
    if (wrong) checks.invalid(`${wrong.parameter} ${wrong.message}`, [...path, wrong.parameter]);
  },

  NotifyParameters(checks, { url }: { url: string }, path) {
    if (url.includes('${')) return;
    // The definition is shown to everybody who may read it; so the value is not quoted.
    const how = doneBy('secretSet', 'secret set NAME');
    checks.invalid(
      `the address of the webhook stands here for all to read: keep it by ${how} and write \${secrets.NAME}`,
      [...path, 'url'],
    );
  },

  EnvironmentGate(checks, { policy, count, percent }: Gate, path) {
    const quorum = [count, percent].filter((each) => each !== undefined).length;
    if (policy === 'AT_LEAST' && quorum !== 1) {
      checks.invalid('AT_LEAST needs a count or a percent, one of them', path);
    } else if (policy !== 'AT_LEAST' && quorum > 0) {
      checks.invalid(`count and percent belong to AT_LEAST; remove them from ${policy}`, path);
    }
  },
};

function refuseOpenToken(checks: Checks, token: string, path: Path): void {
  if (secretsIn(token).length > 0) return;
  // The definition is shown to everybody who may read it; so the value is not quoted.
  const how = doneBy('secretSet', 'secret set NAME');
  checks.invalid(`the token stands here for all to read: keep it by ${how} and write \${secrets.NAME}`, [
    ...path,
    'token',
  ]);
}
