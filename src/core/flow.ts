/** The promotion flow as a graph: what it looks like, what is wrong with it, how it is edited. */
export { checkFlow, sentencesOf, type FlowCheck, type FlowWarning } from './flow/check.ts';
export type { Known, Names } from './flow/checking.ts';
export { editFlow, findingsOf, type EditedFlow, type FlowNote, type FlowProblem, type MadeFlow } from './flow/edit.ts';
export { edgeTargets, layoutOf, type EdgeTarget, type FlowLayout } from './flow/layout.ts';
export {
  dependenciesOf,
  dependentsOf,
  flowGraph,
  topologicalOrder,
  type FlowEdge,
  type FlowGraph,
  type FlowNode,
  type Members,
} from './flow/graph.ts';
