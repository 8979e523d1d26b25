import { Link } from '@tanstack/react-router';

/** An environment by its name, with the way to its page. */
export const EnvironmentLink = ({ name, product }: { name: string; product?: string | null }) => (
  <Link to="/environments/$name" params={{ name }} search={{ product: product ?? undefined }}>
    {name}
  </Link>
);
