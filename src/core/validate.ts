import type { AnyDefinition, Definition } from './definitions.ts';
import type { Refusal } from './problems.ts';
import { checkApplication } from './validate/application.ts';
import { checkEnvironment, checkEnvironmentGroup } from './validate/environments.ts';
import { checkMetadata } from './validate/metadata.ts';
import { checkFlowSize, checkProduct, checkTemplate } from './validate/product.ts';
import { Checks } from './validate/rules.ts';
import { checkWindow } from './validate/window.ts';
import { checkWorkflow } from './validate/workflow.ts';

/**
 * What is wrong with a definition by itself: names, labels, ranges, shapes of addresses, sizes. Paths begin with
 * `metadata` or `spec`. Whether what a flow names exists, and whether its graph is sound, is `checkFlow`.
 *
 * The type says what the fields are; who reads from outside (manifests, the API) has already refused other shapes.
 */
export function checkDefinition(definition: AnyDefinition | Definition): Refusal[] {
  const checks = new Checks();
  const known = definition as AnyDefinition;
  checkMetadata(checks, known.metadata);
  switch (known.kind) {
    case 'Environment':
      checkEnvironment(checks, known.spec);
      break;
    case 'EnvironmentGroup':
      checkEnvironmentGroup(checks, known.spec);
      break;
    case 'PromotionTemplate':
      checkTemplate(checks, known.spec, ['spec']);
      break;
    case 'PromotionWorkflow':
      checkWorkflow(checks, known.spec);
      break;
    case 'PromotionFlow':
      checkFlowSize(checks, known.spec);
      break;
    case 'Product':
      checkProduct(checks, known.spec);
      break;
    case 'Application':
      checkApplication(checks, known.spec);
      break;
    case 'ReleaseWindow':
      checkWindow(checks, known.spec);
      break;
  }
  return checks.all();
}
