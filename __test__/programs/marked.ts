// Renders Markdown with an extension of its own: marked.

import { Marked } from 'marked';

const marked = new Marked({ gfm: true }).use({
  renderer: {
    heading({ tokens, depth }) {
      const text = this.parser.parseInline(tokens);
      return `<h${depth} id="${text.toLowerCase().replace(/[^\w]+/g, '-')}">${text}</h${depth}>\n`;
    },
  },
});

export default {
  async fetch(request: Request): Promise<Response> {
    const html = await marked.parse(await request.text());
    return new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } });
  },
};
