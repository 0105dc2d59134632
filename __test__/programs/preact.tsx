// Renders components to HTML on the server: preact and preact-render-to-string.

/** @jsxImportSource preact */
import { createContext } from 'preact';
import { useContext, useMemo } from 'preact/hooks';
import { renderToString } from 'preact-render-to-string';

const Theme = createContext('light');

function Item({ name }: { name: string }) {
  const theme = useContext(Theme);
  const length = useMemo(() => name.length, [name]);
  return (
    <li class={theme} data-length={length}>
      {name}
    </li>
  );
}

export default {
  fetch(request: Request): Response {
    const names = new URL(request.url).searchParams.getAll('name');
    const html = renderToString(
      <Theme.Provider value="dark">
        <>
          <h1 style={{ color: 'red' }}>Names</h1>
          <ul>
            {names.map((name) => (
              <Item name={name} />
            ))}
          </ul>
        </>
      </Theme.Provider>,
    );
    return new Response(`<!DOCTYPE html>${html}`, { headers: { 'content-type': 'text/html' } });
  },
};
