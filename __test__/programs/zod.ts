// Validates JSON bodies and says what is wrong with them: zod.

import { z } from 'zod';

const Player = z.object({
  name: z.string().min(2),
  age: z.coerce.number().int().positive(),
  tags: z.array(z.enum(['a', 'b'])).default([]),
  email: z.email().optional(),
});

export default {
  async fetch(request: Request): Promise<Response> {
    const parsed = Player.safeParse(await request.json());
    if (parsed.success) return Response.json(parsed.data);
    return Response.json(z.flattenError(parsed.error).fieldErrors, { status: 422 });
  },
};
