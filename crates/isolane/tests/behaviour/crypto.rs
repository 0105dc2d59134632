//! `crypto.subtle` as guests use it: known answers, exceptions in their order, and long work beside the
//! isolate's thread.

use std::time::Duration;

use futures_executor::block_on;
use isolane::{Limits, Request, RunOptions, WorkerDefinition};

use crate::support::{handler, pool_with, text};

/// What every script may use.
const PRELUDE: &str = r"
    const { subtle } = crypto;
    const bytes = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
    const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');
    const ascii = (text) => new TextEncoder().encode(text);
    const nameOf = (promise) => promise.then(() => 'nothing', (error) => error.name);
    const wrong = [];
    const same = (what, got, expected) => { if (got !== expected) wrong.push(`${what}: ${got} in the place of ${expected}`); };
";

/// Runs a handler's body, which says by `same` what is wrong.
fn all_right(body: &str) {
    let body = format!("{PRELUDE} {body} return new Response(wrong.join('\\n') || 'all right');");
    let worker = WorkerDefinition::script(handler(&body)).into();
    let pool = pool_with(|options| options.limits.buffer_bytes = Some(64 << 20));
    let options = RunOptions {
        limits: Some(Limits {
            cpu: Some(Duration::from_secs(60)),
            wall: Some(Duration::from_secs(120)),
            ..Limits::default()
        }),
        ..RunOptions::default()
    };
    let request = Request::get("http://worker.test/");
    let response = block_on(pool.execute("crypto", &worker, request, options));
    assert_eq!(text(response.expect("an answer")), "all right");
}

#[test]
fn symmetric_ciphers_give_the_known_answers() {
    all_right(
        r"
        const key = (algorithm, hex, ...usages) => subtle.importKey('raw', bytes(hex), algorithm, true, usages);
        // NIST SP 800-38A, F.2.1: the first block of CBC.
        const cbc = await key('AES-CBC', '2b7e151628aed2a6abf7158809cf4f3c', 'encrypt', 'decrypt');
        const iv = bytes('000102030405060708090a0b0c0d0e0f');
        const sealed = await subtle.encrypt({ name: 'AES-CBC', iv }, cbc, bytes('6bc1bee22e409f96e93d7e117393172a'));
        same('CBC', hex(sealed).slice(0, 32), '7649abac8119b246cee98e9b12e9197d');
        same('CBC back', hex(await subtle.decrypt({ name: 'AES-CBC', iv }, cbc, sealed)), '6bc1bee22e409f96e93d7e117393172a');
        // F.5.1: the first block of CTR.
        const ctr = await key('AES-CTR', '2b7e151628aed2a6abf7158809cf4f3c', 'encrypt');
        const counter = bytes('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff');
        same('CTR', hex(await subtle.encrypt({ name: 'AES-CTR', counter, length: 128 }, ctr, bytes('6bc1bee22e409f96e93d7e117393172a'))), '874d6191b620e3261bef6864990db6ce');
        // A counter of four bits wraps; the rest of the block stays as it is.
        const full = bytes('0000000000000000000000000000000f');
        const wrapped = hex(await subtle.encrypt({ name: 'AES-CTR', counter: full, length: 4 }, ctr, new Uint8Array(32)));
        const zero = hex(await subtle.encrypt({ name: 'AES-CTR', counter: new Uint8Array(16), length: 4 }, ctr, new Uint8Array(16)));
        same('a counter that wraps', wrapped.slice(32), zero);
        same('too long for a counter', await nameOf(subtle.encrypt({ name: 'AES-CTR', counter: full, length: 4 }, ctr, new Uint8Array(17 * 16))), 'OperationError');
        // The GCM specification's test cases 4, 5 and 6: vectors of 96, 64 and 480 bits.
        const gcm = await key('AES-GCM', 'feffe9928665731c6d6a8f9467308308', 'encrypt', 'decrypt');
        const plain = bytes('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');
        const additionalData = bytes('feedfacedeadbeeffeedfacedeadbeefabaddad2');
        for (const [iv, tag] of [
          ['cafebabefacedbaddecaf888', '5bc94fbc3221a5db94fae95ae7121a47'],
          ['cafebabefacedbad', '3612d2e79e3b0785561be14aaca2fccb'],
          ['9313225df88406e555909c5aff5269aa6a7a9538534f7da1e4c303d2a318a728c3c0c95156809539fcf0e2429a6b525416aedbf5a0de6a57a637b39b', '619cc5aefffe0bfa462af43c1699d050'],
        ]) {
          const parameters = { name: 'AES-GCM', iv: bytes(iv), additionalData };
          const sealed = await subtle.encrypt(parameters, gcm, plain);
          same('a tag', hex(sealed.slice(plain.length)), tag);
          same('GCM back', hex(await subtle.decrypt(parameters, gcm, sealed)), hex(plain));
          const short = await subtle.encrypt({ ...parameters, tagLength: 32 }, gcm, plain);
          same('a short tag', hex(short), hex(sealed.slice(0, plain.length + 4)));
          new Uint8Array(sealed)[0] ^= 1;
          same('a forged text', await nameOf(subtle.decrypt(parameters, gcm, sealed)), 'OperationError');
        }
        // RFC 3394, 4.6.
        const kek = await key('AES-KW', '000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f', 'wrapKey', 'unwrapKey');
        const inner = await key('AES-CBC', '00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f', 'encrypt');
        const packed = await subtle.wrapKey('raw', inner, kek, 'AES-KW');
        same('KW', hex(packed), '28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21');
        ",
    );
}

#[test]
fn macs_and_derivations_give_the_known_answers() {
    all_right(
        r"
        // RFC 4231, case 2.
        const mac = await subtle.importKey('raw', ascii('Jefe'), { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
        const code = await subtle.sign('HMAC', mac, ascii('what do ya want for nothing?'));
        same('HMAC', hex(code), '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
        same('a shorter code', await subtle.verify('HMAC', mac, code.slice(1), ascii('what do ya want for nothing?')), false);
        // RFC 5869, case 1.
        const input = await subtle.importKey('raw', new Uint8Array(22).fill(11), 'HKDF', false, ['deriveBits']);
        const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: bytes('000102030405060708090a0b0c'), info: bytes('f0f1f2f3f4f5f6f7f8f9') };
        same('HKDF', hex(await subtle.deriveBits(hkdf, input, 336)), '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865');
        same('too much of HKDF', await nameOf(subtle.deriveBits(hkdf, input, 256 * 32 * 8)), 'OperationError');
        // RFC 6070: in the call, and beside the thread.
        const password = await subtle.importKey('raw', ascii('password'), 'PBKDF2', false, ['deriveBits']);
        for (const [iterations, expected] of [[1, '0c60c80f961f0e71f3a9b524af6012062fe037a6'], [2, 'ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957'], [4096, '4b007901b765489abead49d926f721d065a429c1']]) {
          const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-1', salt: ascii('salt'), iterations };
          same(`PBKDF2 ${iterations}`, hex(await subtle.deriveBits(pbkdf2, password, 160)), expected);
        }
        const longer = { name: 'PBKDF2', hash: 'SHA-256', salt: ascii('saltSALTsaltSALTsaltSALTsaltSALTsalt'), iterations: 80000 };
        same('two blocks', (await subtle.deriveBits(longer, password, 512)).byteLength, 64);
        ",
    );
}

#[test]
fn signatures_give_the_known_answers_and_hold() {
    all_right(
        r"
        // RFC 8032, 7.1, test 2.
        const seed = bytes('302e020100300506032b6570042204204ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb');
        const ed = await subtle.importKey('pkcs8', seed, 'Ed25519', true, ['sign']);
        same('Ed25519', hex(await subtle.sign('Ed25519', ed, bytes('72'))), '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00');
        same('its seed again', hex(await subtle.exportKey('pkcs8', ed)), hex(seed));
        for (const namedCurve of ['P-256', 'P-384', 'P-521']) {
          const pair = await subtle.generateKey({ name: 'ECDSA', namedCurve }, true, ['sign', 'verify']);
          for (const hash of ['SHA-1', 'SHA-256', 'SHA-384', 'SHA-512']) {
            const signature = await subtle.sign({ name: 'ECDSA', hash }, pair.privateKey, ascii('text'));
            same(`${namedCurve} ${hash}`, await subtle.verify({ name: 'ECDSA', hash }, pair.publicKey, signature, ascii('text')), true);
            same(`${namedCurve} ${hash}, another text`, await subtle.verify({ name: 'ECDSA', hash }, pair.publicKey, signature, ascii('Text')), false);
          }
          const spki = await subtle.exportKey('spki', pair.publicKey);
          const raw = await subtle.exportKey('raw', pair.publicKey);
          const again = await subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve }, true, ['verify']);
          same(`${namedCurve} by spki`, hex(await subtle.exportKey('raw', again)), hex(raw));
          const x = (raw.byteLength - 1) / 2;
          const point = new Uint8Array(raw.slice(0, 1 + x));
          point[0] = 2 + (new Uint8Array(raw).at(-1) & 1);
          const small = await subtle.importKey('raw', point, { name: 'ECDSA', namedCurve }, true, ['verify']);
          same(`${namedCurve} compressed`, hex(await subtle.exportKey('raw', small)), hex(raw));
        }
        const exponent = { publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
        const rsa = await subtle.generateKey({ name: 'RSA-PSS', modulusLength: 2048, ...exponent }, true, ['sign', 'verify']);
        for (const saltLength of [0, 20, 222]) {
          const signature = await subtle.sign({ name: 'RSA-PSS', saltLength }, rsa.privateKey, ascii('text'));
          same(`a salt of ${saltLength}`, await subtle.verify({ name: 'RSA-PSS', saltLength }, rsa.publicKey, signature, ascii('text')), true);
        }
        same('too long a salt', await nameOf(subtle.sign({ name: 'RSA-PSS', saltLength: 223 }, rsa.privateKey, ascii('text'))), 'OperationError');
        const jwk = await subtle.exportKey('jwk', rsa.privateKey);
        same('its name', jwk.alg, 'PS256');
        const imported = await subtle.importKey('jwk', jwk, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign']);
        same('the same key', hex(await subtle.exportKey('pkcs8', imported)), hex(await subtle.exportKey('pkcs8', rsa.privateKey)));
        same('a modulus that is not theirs', await nameOf(subtle.importKey('jwk', { ...jwk, p: jwk.q }, { name: 'RSA-PSS', hash: 'SHA-256' }, true, ['sign'])), 'DataError');
        const long = await subtle.generateKey({ name: 'RSA-OAEP', modulusLength: 3072, ...exponent }, false, ['encrypt', 'decrypt']);
        const label = ascii('label');
        const sealed = await subtle.encrypt({ name: 'RSA-OAEP', label }, long.publicKey, ascii('secret'));
        same('OAEP', hex(await subtle.decrypt({ name: 'RSA-OAEP', label }, long.privateKey, sealed)), hex(ascii('secret')));
        same('another label', await nameOf(subtle.decrypt({ name: 'RSA-OAEP' }, long.privateKey, sealed)), 'OperationError');
        ",
    );
}

#[test]
fn exceptions_come_by_their_names() {
    all_right(
        r"
        const gcm = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt']);
        const iv = new Uint8Array(12);
        for (const [expected, promise] of [
          ['TypeError', subtle.encrypt({ name: 'AES-GCM' }, gcm, iv)],
          ['TypeError', subtle.encrypt({ name: 'AES-GCM', iv }, {}, iv)],
          ['TypeError', subtle.encrypt({ name: 'AES-GCM', iv }, gcm, 'text')],
          ['TypeError', subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 256 }, gcm, iv)],
          ['OperationError', subtle.encrypt({ name: 'AES-GCM', iv, tagLength: 16 }, gcm, iv)],
          ['NotSupportedError', subtle.encrypt({ name: 'AES-ECB' }, gcm, iv)],
          ['NotSupportedError', subtle.encrypt('AES-\u212AW', gcm, iv)],
          ['NotSupportedError', subtle.digest('MD5', iv)],
          ['InvalidAccessError', subtle.encrypt({ name: 'AES-CBC', iv: new Uint8Array(16) }, gcm, iv)],
          ['InvalidAccessError', subtle.decrypt({ name: 'AES-GCM', iv }, gcm, iv)],
          ['InvalidAccessError', subtle.exportKey('raw', gcm)],
          ['SyntaxError', subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['sign'])],
          ['SyntaxError', subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, [])],
          ['TypeError', subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['enCrypt'])],
          ['OperationError', subtle.generateKey({ name: 'AES-GCM', length: 100 }, true, ['encrypt'])],
          ['DataError', subtle.importKey('raw', new Uint8Array(15), 'AES-GCM', true, ['encrypt'])],
          ['DataError', subtle.importKey('jwk', { kty: 'oct', k: 'AA', alg: 'A128GCM' }, 'AES-GCM', true, ['encrypt'])],
          ['DataError', subtle.importKey('jwk', { kty: 'oct', k: 'AAAAAAAAAAAAAAAAAAAAAA', ext: false }, 'AES-GCM', true, ['encrypt'])],
          ['TypeError', subtle.importKey('jwk', iv, 'AES-GCM', true, ['encrypt'])],
          ['TypeError', subtle.importKey('raw', { kty: 'oct' }, 'AES-GCM', true, ['encrypt'])],
          ['SyntaxError', subtle.importKey('raw', iv, 'PBKDF2', true, ['deriveBits'])],
          ['NotSupportedError', subtle.importKey('spki', iv, 'AES-GCM', true, ['encrypt'])],
        ]) same(expected, await nameOf(promise), expected);
        same('a constructor', (() => { try { new CryptoKey(); } catch (error) { return error.name; } })(), 'TypeError');
        same('a brand', await nameOf(subtle.digest.call({}, 'SHA-1', iv)), 'TypeError');
        same('its text', String(gcm), '[object CryptoKey]');
        same('one algorithm', gcm.algorithm, gcm.algorithm);
        same('a clone', structuredClone(gcm).algorithm.length, 256);
        ",
    );
}

#[test]
fn long_work_takes_its_data_when_it_is_asked_for() {
    all_right(
        r"
        const data = new Uint8Array(4 << 20).fill(7);
        const expected = hex(await subtle.digest('SHA-256', data));
        const promise = subtle.digest('SHA-256', data);
        data.fill(8);
        same('a digest', hex(await promise), expected);
        const key = await subtle.generateKey({ name: 'AES-CTR', length: 128 }, false, ['encrypt', 'decrypt']);
        const counter = new Uint8Array(16);
        const parameters = { name: 'AES-CTR', counter, length: 64 };
        const sealing = subtle.encrypt(parameters, key, data);
        data.fill(9);
        counter.fill(1);
        const opened = await subtle.decrypt({ ...parameters, counter: new Uint8Array(16) }, key, await sealing);
        same('what was encrypted', new Uint8Array(opened).every((byte) => byte === 8), true);
        // Timers go on meanwhile.
        const password = await subtle.importKey('raw', data.subarray(0, 8), 'PBKDF2', false, ['deriveKey']);
        let ticks = 0;
        const interval = setInterval(() => ticks++, 1);
        const pbkdf2 = { name: 'PBKDF2', hash: 'SHA-512', salt: counter, iterations: 300_000 };
        const derived = await subtle.deriveKey(pbkdf2, password, { name: 'HMAC', hash: 'SHA-384' }, true, ['sign']);
        clearInterval(interval);
        same('its length', derived.algorithm.length, 1024);
        same('ticks', ticks > 5, true);
        ",
    );
}
