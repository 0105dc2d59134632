// A GraphQL endpoint with asynchronous resolvers: graphql-js.

import { buildSchema, graphql } from 'graphql';

const schema = buildSchema(`
  type User { id: ID!, name: String!, friends(first: Int = 10): [User!]! }
  type Query { hello: String, user(id: ID!): User }
`);
const names = ['Ada', 'Brendan', 'Grace'];
const user = (id: number): unknown => ({
  id,
  name: names[id],
  friends: async ({ first }: { first: number }) =>
    names
      .map((_, other) => other)
      .filter((other) => other !== id)
      .slice(0, first)
      .map(user),
});
const rootValue = { hello: () => 'Hello world!', user: ({ id }: { id: string }) => user(Number(id)) };

export default {
  async fetch(request: Request): Promise<Response> {
    const { query, variables } = (await request.json()) as {
      query: string;
      variables?: Record<string, unknown>;
    };
    return Response.json(await graphql({ schema, source: query, rootValue, variableValues: variables }));
  },
};
