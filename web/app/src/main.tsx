import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from '@tanstack/react-router';
import { Provider } from 'urql';
import { createApi } from './api/client.ts';
import { ROOT } from './api/place.ts';
import { SignedIn } from './frame/sign-in.tsx';
import { router } from './router.tsx';
import './style.css';

// Browsers ask for the icon again when the address changes, and a relative one would lead elsewhere then.
for (const link of document.querySelectorAll<HTMLLinkElement>('link[rel="icon"]')) link.setAttribute('href', link.href);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    {window.location.pathname === `${ROOT.pathname}signed-in` ? (
      <SignedIn />
    ) : (
      <Provider value={createApi()}>
        <RouterProvider router={router} />
      </Provider>
    )}
  </StrictMode>,
);
