// Builds SQL and sends it to a database that the host gives: drizzle's query builder and its proxy driver.

import { and, count, desc, eq, gt, like, or } from 'drizzle-orm';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { drizzle } from 'drizzle-orm/sqlite-proxy';

const users = sqliteTable('users', {
  id: integer('id').primaryKey(),
  name: text('name').notNull(),
  age: integer('age'),
});
const posts = sqliteTable('posts', { id: integer('id').primaryKey(), author: integer('author').notNull() });

interface Env {
  query(sql: string, params: unknown[], method: string): Promise<{ rows: unknown[][] }>;
}

export default {
  async fetch(_request: Request, env: Env): Promise<Response> {
    const db = drizzle(async (sql, params, method) => env.query(sql, params, method));
    const found = await db
      .select({ name: users.name, posts: count(posts.id) })
      .from(users)
      .leftJoin(posts, eq(posts.author, users.id))
      .where(and(gt(users.age, 30), or(like(users.name, 'A%'), eq(users.id, 7))))
      .groupBy(users.id)
      .orderBy(desc(users.age))
      .limit(2);
    const insert = db.insert(users).values({ name: 'Ada', age: 36 }).toSQL();
    return Response.json({ found, insert });
  },
};
