// A small router with middleware and formats: itty-router.

import { AutoRouter, error, type IRequest, type RequestHandler } from 'itty-router';

const withUser: RequestHandler = (request) => {
  request.user = request.headers.get('x-user') ?? undefined;
  return request.user === undefined ? error(401, 'who are you?') : undefined;
};

const router = AutoRouter();
router
  .get('/hello/:name?', ({ name = 'world' }) => `Hello, ${name}!`)
  .get('/me', withUser, ({ user }: IRequest) => ({ user }))
  .post('/sum', async (request: IRequest) => {
    const numbers = (await request.json()) as number[];
    return { sum: numbers.reduce((a, b) => a + b, 0) };
  });

export default { fetch: router.fetch };
