//! Compression streams as guests use them.

use futures_executor::block_on;
use isolane::{Request, RunOptions, WorkerDefinition};

use crate::support::{handler, pool_with, text};

fn answer(body: &str) -> String {
    let worker = WorkerDefinition::script(handler(body)).into();
    let pool = pool_with(|options| {
        options.limits.cpu = Some(std::time::Duration::from_secs(30));
        options.limits.wall = Some(std::time::Duration::from_secs(60));
        options.limits.buffer_bytes = Some(64 << 20);
    });
    let request = Request::get("http://worker.test/");
    let response = block_on(pool.execute("streams", &worker, request, RunOptions::default()));
    text(response.expect("an answer"))
}

#[test]
fn all_formats_come_back() {
    let body = "
        const wrong = [];
        for (const format of ['gzip', 'deflate', 'deflate-raw', 'brotli']) {
            const data = 'a text that repeats itself, '.repeat(20_000);
            const packed = await new Response(new Blob([data]).stream().pipeThrough(new CompressionStream(format))).arrayBuffer();
            if (packed.byteLength > data.length / 50) wrong.push(`${format} has ${packed.byteLength} bytes`);
            const back = new Response(new Response(packed).body.pipeThrough(new DecompressionStream(format)));
            if (await back.text() !== data) wrong.push(format);
        }
        return new Response(wrong.join() || 'all right');
    ";
    assert_eq!(answer(body), "all right");
}

#[test]
fn what_others_made_is_read() {
    // "expected output" by zlib's gzip and compress.
    let body = "
        const known = {
            gzip: [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 176, 1, 57, 179, 15, 0, 0, 0],
            deflate: [120, 156, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 48, 173, 6, 36],
            'deflate-raw': [75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0],
        };
        const texts = [];
        for (const [format, bytes] of Object.entries(known)) {
            const stream = new Blob([new Uint8Array(bytes)]).stream().pipeThrough(new DecompressionStream(format));
            texts.push(await new Response(stream).text());
        }
        return new Response(texts.join());
    ";
    let expected = "expected output,expected output,expected output";
    assert_eq!(answer(body), expected);
}

#[test]
fn bad_data_is_a_type_error() {
    let body = "
        const wrong = [];
        const unpack = async (format, chunks) => {
            const stream = new DecompressionStream(format);
            const writer = stream.writable.getWriter();
            for (const chunk of chunks) writer.write(chunk).catch(() => {});
            writer.close().catch(() => {});
            writer.closed.catch(() => {});
            try {
                return await new Response(stream.readable).text();
            } catch (error) {
                return error.name;
            }
        };
        for (const format of ['gzip', 'deflate', 'deflate-raw', 'brotli']) {
            const packed = new Uint8Array(await new Response(new Blob(['some text, some text']).stream().pipeThrough(new CompressionStream(format))).arrayBuffer());
            for (const [what, chunks] of Object.entries({
                'nothing': [],
                'too little': [packed.subarray(0, -1)],
                'too much': [new Uint8Array([...packed, 0])],
                'too much, later': [packed, new Uint8Array(1)],
                'text': ['text'],
                'shared': [{}],
                'null': [null],
            })) {
                const name = await unpack(format, chunks);
                if (name !== 'TypeError') wrong.push(`${format}, ${what}: ${name}`);
            }
            const views = [packed.buffer, new DataView(packed.buffer), packed];
            for (const view of views) if (await unpack(format, [view]) !== 'some text, some text') wrong.push(`${format}: ${view}`);
        }
        const corrupt = [31, 139, 8, 0, 0, 0, 0, 0, 0, 3, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 177, 1, 57, 179, 15, 0, 0, 0];
        if (await unpack('gzip', [new Uint8Array(corrupt)]) !== 'TypeError') wrong.push('a wrong checksum');
        const adler = [120, 156, 75, 173, 40, 72, 77, 46, 73, 77, 81, 200, 47, 45, 41, 40, 45, 1, 0, 48, 173, 6, 37];
        if (await unpack('deflate', [new Uint8Array(adler)]) !== 'TypeError') wrong.push('another wrong checksum');
        for (const make of [() => new CompressionStream('zip'), () => new DecompressionStream(), () => new CompressionStream(Symbol())]) {
            try { make(); wrong.push(String(make)); } catch (error) { if (!(error instanceof TypeError)) wrong.push(error.name); }
        }
        if (Object.prototype.toString.call(new CompressionStream('gzip')) !== '[object CompressionStream]') wrong.push('its tag');
        return new Response(wrong.join('\\n') || 'all right');
    ";
    assert_eq!(answer(body), "all right");
}

#[test]
fn a_stream_of_an_earlier_request_says_so() {
    let script = "
        const kept = new CompressionStream('gzip');
        const writer = kept.writable.getWriter();
        const reader = kept.readable.getReader();
        for (let i = 0; i < 9; i++) reader.read().catch(() => {});
        writer.closed.catch(() => {});
        export default {
            async fetch() {
                try {
                    await writer.write(new Uint8Array(1));
                    return new Response('written');
                } catch (error) {
                    return new Response(error.name);
                }
            },
        };
    ";
    let worker = WorkerDefinition::script(script).into();
    let pool = pool_with(|_| {});
    let ask = || {
        let request = Request::get("http://worker.test/");
        let response = block_on(pool.execute("streams", &worker, request, RunOptions::default()));
        text(response.expect("an answer"))
    };
    assert_eq!(ask(), "written");
    assert_eq!(ask(), "TypeError");
}
