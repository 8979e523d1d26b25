import type { ProductSpec, PromotionFlowSpec, PromotionTemplateSpec } from '../definitions.ts';
import { refuseFileName } from '../file-format.ts';
import { refusePath } from '../json-path.ts';
import { quote } from '../wording.ts';
import { checkFolderPath } from './git.ts';
import { LIMITS, type Checks, type Path } from './rules.ts';

export function checkProduct(checks: Checks, spec: ProductSpec): void {
  checks.description(spec.description);
  checks.optionalName(spec.promotionTemplateRef, 'the template', ['spec', 'promotionTemplateRef']);
  if (spec.promotionTemplate) checkTemplate(checks, spec.promotionTemplate, ['spec', 'promotionTemplate']);
  const policies = ['QUEUE', 'TERMINATE', 'SUPERSEDE', 'PIPELINE'];
  checks.oneOf(spec.concurrency, policies, 'concurrency', ['spec', 'concurrency']);
  checks.integer(spec.queueLimit, 'queueLimit', 1, 10_000, ['spec', 'queueLimit']);
  const path = ['spec', 'promotionFlows'];
  if (!checks.count(spec.promotionFlows, 'flows', path)) return;
  spec.promotionFlows.forEach((entry, i) => {
    checks.name(entry.name, 'the flow', [...path, i, 'name']);
    const selectors = entry.gitTriggerSelectors ?? [];
    if (!checks.count(selectors, 'selectors', [...path, i, 'gitTriggerSelectors'], 100)) return;
    selectors.forEach((selector, j) => {
      const at = [...path, i, 'gitTriggerSelectors', j];
      checks.oneOf(selector.key, ['commitMessage', 'gitRevision'], 'the key', [...at, 'key']);
      checks.oneOf(selector.operator, ['In', 'NotIn'], 'the operator', [...at, 'operator']);
      if (selector.values.length === 0) checks.invalid('a selector needs at least one value', [...at, 'values']);
      if (!checks.count(selector.values, 'values', [...at, 'values'])) return;
      selector.values.forEach((value, k) => {
        if (value === '') checks.invalid('an empty value matches no change; remove it', [...at, 'values', k]);
        checks.text(value, 'the value', [...at, 'values', k]);
      });
    });
  });
}

export function checkTemplate(checks: Checks, spec: PromotionTemplateSpec, path: Path): void {
  checks.selector(spec.applicationSourceSelector, [...path, 'applicationSourceSelector']);
  checks.integer(spec.priority, 'priority', -1_000_000, 1_000_000, [...path, 'priority']);
  if (spec.versionSource) {
    checkFolderPath(checks, spec.versionSource.file, 'the file', [...path, 'versionSource', 'file']);
    checkFileFormat(checks, spec.versionSource.file, [...path, 'versionSource', 'file']);
    checkJsonPath(checks, spec.versionSource.jsonPath, [...path, 'versionSource', 'jsonPath']);
  }
  checks.oneOf(spec.onMissing, ['REFUSE', 'SKIP', 'ADD'], 'onMissing', [...path, 'onMissing']);
  checks.oneOf(spec.whenAbsent, ['WARN', 'REFUSE'], 'whenAbsent', [...path, 'whenAbsent']);
  const files = Object.entries(spec.promotion ?? {});
  if (!checks.count(files, 'files', [...path, 'promotion'])) return;
  for (const [file, { jsonPaths }] of files) {
    const at = [...path, 'promotion', file];
    checkFolderPath(checks, file, 'the file', at);
    checkFileFormat(checks, file, at);
    if (jsonPaths.length === 0) {
      checks.invalid(`name at least one JSON path of ${quote(file)}, for example $.image.tag`, [...at, 'jsonPaths']);
    }
    if (!checks.count(jsonPaths, 'JSON paths', [...at, 'jsonPaths'])) continue;
    jsonPaths.forEach((each, i) => checkJsonPath(checks, each, [...at, 'jsonPaths', i]));
  }
}

function checkJsonPath(checks: Checks, jsonPath: string, path: Path): void {
  const refused = refusePath(jsonPath);
  if (refused) checks.invalid(refused, path);
  checks.text(jsonPath, 'the JSON path', path);
}

function checkFileFormat(checks: Checks, file: string, path: Path): void {
  const refused = refuseFileName(file);
  if (refused) checks.invalid(refused, path);
}

/** The flow's size and texts; its graph and what it names is `checkFlow`. */
export function checkFlowSize(checks: Checks, spec: PromotionFlowSpec): void {
  checks.description(spec.description);
  checks.text(spec.version, 'the version', ['spec', 'version'], 100);
  checks.name(spec.triggerEnvironment, 'the trigger environment', ['spec', 'triggerEnvironment']);
  checks.selector(spec.productSelector, ['spec', 'productSelector']);
  checks.oneOf(spec.onFailure, ['FINISH_RUNNING', 'CONTINUE', 'STOP'], 'onFailure', ['spec', 'onFailure']);
  if (!checks.count(spec.steps, 'steps', ['spec', 'steps'], LIMITS.steps)) return;
  spec.steps.forEach((step, i) => {
    const at = ['spec', 'steps', i];
    checks.oneOf(step.policy?.action, ['commit', 'pr', 'none'], 'the action', [...at, 'policy', 'action']);
    checks.oneOf(step.dependsOnPolicy?.policy, ['ALL', 'ANY', 'AT_LEAST'], 'the policy', [
      ...at,
      'dependsOnPolicy',
      'policy',
    ]);
  });
  const dependencies = spec.steps.reduce((sum, step) => sum + (step.dependsOn?.length ?? 0), 0);
  if (dependencies > LIMITS.dependencies) {
    checks.invalid(
      `the flow has ${dependencies} dependencies; at most ${LIMITS.dependencies} are possible. ` +
        'Depend on a group instead of on each of its environments',
      ['spec', 'steps'],
    );
  }
}
