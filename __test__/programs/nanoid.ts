// Makes ids from the runtime's random bytes: nanoid.

import { customAlphabet, nanoid } from 'nanoid';

const digits = customAlphabet('0123456789', 12);

export default {
  fetch: (): Response =>
    Response.json({ ids: Array.from({ length: 1000 }, () => nanoid()), digits: digits() }),
};
