// A router with middleware, parameters, JSON bodies, cookies, and an error handler: hono.

import { Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';
import { streamText } from 'hono/streaming';

const app = new Hono<{ Bindings: { GREETING: string } }>();
app.use('*', cors());
app.get('/', (c) => c.text('Hello Hono!'));
app.get('/users/:id', (c) =>
  c.json({ id: c.req.param('id'), page: c.req.query('page'), said: c.env.GREETING }),
);
app.post('/echo', async (c) => c.json(await c.req.json(), 201));
app.post('/form', async (c) => {
  const { name, file } = await c.req.parseBody();
  return c.text(`${name} ${file instanceof File ? `${file.name} ${await file.text()}` : ''}`);
});
app.get('/cookie', (c) => {
  setCookie(c, 'seen', 'yes', { httpOnly: true });
  return c.text(getCookie(c, 'name') ?? 'none');
});
app.get('/stream', (c) =>
  streamText(c, async (stream) => {
    for (const part of ['a', 'b', 'c']) {
      await stream.write(part);
      await stream.sleep(1);
    }
  }),
);
app.get('/fails', () => {
  throw new HTTPException(418, { message: 'a teapot' });
});
app.notFound((c) => c.text('not here', 404));

export default app;
