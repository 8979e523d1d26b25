import type { Call } from './forge.ts';
import type { MergeRequest } from './gitlab-request.ts';
import type { OpenForge } from './open.ts';
import type { Said } from './refusals.ts';
import { Rest } from './rest.ts';
import type { RestAnswer, RestAsk } from './rest.ts';

/** Entries of one page. */
export const PAGE = 100;

/** Settings of a project, as GitLab answers them. */
export interface ProjectSettings {
  archived?: boolean;
  permissions?: Record<'project_access' | 'group_access', { access_level?: number } | null>;
  only_allow_merge_if_pipeline_succeeds?: boolean;
  merge_trains_enabled?: boolean;
}

/** A project of GitLab: the repository of one client. */
export class GitLabProject {
  /** The repository's name, for messages. */
  readonly name: string;
  /** Of the secret whose token signs in. */
  readonly secret: string;
  readonly rest: Rest;
  readonly #path: string;

  constructor(open: OpenForge) {
    this.name = open.name;
    this.secret = open.secret;
    this.#path = `/projects/${encodeURIComponent(open.name)}`;
    // A project that was renamed is known by its number.
    this.rest = new Rest(open, { 'private-token': open.value }, { own: this.#path, any: /^.*?\/projects\/[^/]+/ });
  }

  /**
   * @param path below the project, such as `/merge_requests`
   * @throws as `Forge` says, for every status from 300 on that is not accepted.
   */
  ask(method: string, path: string, ask: RestAsk, call: Call): Promise<RestAnswer> {
    return this.rest.ask(method, `${this.#path}${path}`, ask, call);
  }

  /** @param what for messages: `open a merge request`. */
  async settings(what: string, call: Call): Promise<ProjectSettings> {
    return (await this.ask('GET', '', { what }, call)).data as ProjectSettings;
  }

  async request(number: number, call: Call): Promise<MergeRequest> {
    const ask = { what: `see merge request !${number}` };
    return (await this.ask('GET', `/merge_requests/${number}`, ask, call)).data as MergeRequest;
  }

  refusal(what: string, said: Said): Error {
    return this.rest.refusal(what, said);
  }
}
