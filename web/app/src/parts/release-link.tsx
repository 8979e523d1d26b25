import { Link } from '@tanstack/react-router';

/** A release by its short name. */
export const ReleaseLink = ({ release }: { release: { uuid: string; shortId: string } }) => (
  <Link to="/releases/$id" params={{ id: release.uuid }}>
    {release.shortId}
  </Link>
);
