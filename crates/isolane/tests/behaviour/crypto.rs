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
fn ed448_signs_and_verifies_as_rfc_8032_says() {
    all_right(
        r"
        // Section 7.4: 1 octet, and the same with a context.
        const prefix = '3047020100300506032b6571043b0439';
        const seed = 'c4eab05d357007c632f3dbb48489924d552b08fe0c353a0d4a1f00acda2c463afbea67c5e8d2877c5e3bc397a659949ef8021e954e0a12274e';
        const point = '43ba28f430cdff456ae531545f7ecd0ac834a55d9358c0372bfa0c6c6798c0866aea01eb00742802b8438ea4cb82169c235160627b4c3a9480';
        const key = await subtle.importKey('pkcs8', bytes(prefix + seed), 'Ed448', true, ['sign']);
        const theirs = await subtle.importKey('raw', bytes(point), 'ed448', true, ['verify']);
        const foo = { name: 'Ed448', context: ascii('foo') };
        const plain = await subtle.sign('Ed448', key, bytes('03'));
        const scoped = await subtle.sign(foo, key, bytes('03'));
        same('Ed448', hex(plain), '26b8f91727bd62897af15e41eb43c377efb9c610d48f2335cb0bd0087810f4352541b143c4b981b7e18f62de8ccdf633fc1bf037ab7cd779805e0dbcc0aae1cbcee1afb2e027df36bc04dcecbf154336c19f0af7e0a6472905e799f1953d2a0ff3348ab21aa4adafd1d234441cf807c03a00');
        same('with a context', hex(scoped), 'd4f8f6131770dd46f40867d6fd5d5055de43541f8c5e35abbcd001b32a89f7d2151f7647f11d8ca2ae279fb842d607217fce6e042f6815ea000c85741de5c8da1144a6a1aba7f96de42505d7a7298524fda538fccbbb754f578c1cad10d54d0d5428407e85dcbc98a49155c13764e66c3c00');
        const verified = (algorithm, signature, data = bytes('03')) => subtle.verify(algorithm, theirs, signature, data);
        same('verified', await verified('Ed448', plain), true);
        same('verified with its context', await verified(foo, scoped), true);
        same('without its context', await verified('Ed448', scoped), false);
        same('another text', await verified('Ed448', plain, bytes('04')), false);
        same('too short', await verified('Ed448', plain.slice(1)), false);
        const unreduced = new Uint8Array(plain);
        // The order is added to S.
        let carry = 0;
        const order = bytes('f34458ab92c27823558fc58d72c26c219036d6ae49db4ec4e923ca7cffffffffffffffffffffffffffffffffffffffffffffffffffffff3f');
        for (let at = 0; at < 56; at++) {
          carry += unreduced[57 + at] + order[at];
          unreduced[57 + at] = carry & 255;
          carry >>= 8;
        }
        same('S past the order', await verified('Ed448', unreduced), false);
        const longest = { name: 'Ed448', context: new Uint8Array(255) };
        same('the longest context', await verified(longest, await subtle.sign(longest, key, bytes('03'))), true);
        const longer = { name: 'Ed448', context: new Uint8Array(256) };
        same('too long a context', await nameOf(subtle.sign(longer, key, bytes('03'))), 'OperationError');
        same('too long a context to verify', await nameOf(verified(longer, plain)), 'OperationError');
        same('no bytes for a context', await nameOf(subtle.sign({ name: 'Ed448', context: 'foo' }, key, bytes('03'))), 'TypeError');
        // With a key of small order, S = 1 and the base point would be right for any text.
        const one = new Uint8Array(57);
        one[0] = 1;
        const base = '14fa30f25b790898adc8d74e2c13bdfdc4397ce61cffd33ad7c2a0051e9c78874098a36c7373ea4b62c7c9563720768824bcb66e71463f6900';
        const forged = bytes(base + hex(one));
        const minusOne = 'fe' + 'ff'.repeat(27) + 'fe' + 'ff'.repeat(27) + '00';
        for (const small of [hex(one), minusOne, '00'.repeat(57), '00'.repeat(56) + '80']) {
          const weak = await subtle.importKey('raw', bytes(small), 'Ed448', true, ['verify']);
          same(`a key of small order, ${small}`, await subtle.verify('Ed448', weak, forged, bytes('03')), false);
        }
        const pair = await subtle.generateKey('Ed448', true, ['sign', 'verify']);
        const signature = await subtle.sign('Ed448', pair.privateKey, new Uint8Array(1 << 20));
        same('a new key', await subtle.verify('Ed448', pair.publicKey, signature, new Uint8Array(1 << 20)), true);
        same('what it shows', JSON.stringify(pair.publicKey.algorithm), JSON.stringify({ name: 'Ed448' }));
        ",
    );
}

#[test]
fn x448_agrees_as_rfc_7748_says() {
    all_right(
        r"
        // Section 6.2.
        const alice = bytes('9a8f4925d1519f5775cf46b04b5800d4ee9ee8bae8bc5565d498c28dd9c9baf574a9419744897391006382a6f127ab1d9ac2d8c0a598726b');
        const bob = bytes('3eb7a829b0cd20f5bcfc0b599b6feccf6da4627107bdb0d4f345b43027d8b972fc3e34fb4232a13ca706dcb57aec3dae07bdc1c67bf33609');
        const secret = '07fff4181ac6cc95ec1c16a94a0f74d12da232ce40a77552281d282bb60c0b56fd2464c335543936521c24403085d59a449a5037514a879d';
        const prefix = bytes('3046020100300506032b656f043a0438');
        const pkcs8 = new Uint8Array([...prefix, ...alice]);
        const key = await subtle.importKey('pkcs8', pkcs8, 'X448', true, ['deriveBits', 'deriveKey']);
        const derive = async (point, length) => subtle.deriveBits({ name: 'X448', public: await subtle.importKey('raw', point, 'X448', true, []) }, key, length);
        same('X448', hex(await derive(bob, null)), secret);
        same('some of it', hex(await derive(bob, 12)), secret.slice(0, 3) + '0');
        same('too much', await nameOf(derive(bob, 456)), 'OperationError');
        const high = 'ff'.repeat(27);
        for (const small of ['00'.repeat(56), '01' + '00'.repeat(55), 'feffff' + 'ff'.repeat(25) + 'fe' + high, 'ff'.repeat(28) + 'fe' + high, '00'.repeat(28) + 'ff' + high]) {
          same(`a point of small order, ${small}`, await nameOf(derive(bytes(small), 448)), 'OperationError');
        }
        const jwk = await subtle.exportKey('jwk', key);
        same('its curve', `${jwk.kty} ${jwk.crv}`, 'OKP X448');
        const again = await subtle.importKey('jwk', jwk, 'X448', true, ['deriveBits']);
        same('its pkcs8', hex(await subtle.exportKey('pkcs8', again)), hex(pkcs8));
        same('a public half that is not its own', await nameOf(subtle.importKey('jwk', { ...jwk, x: jwk.d }, 'X448', true, ['deriveBits'])), 'DataError');
        same('another curve', await nameOf(subtle.importKey('jwk', jwk, 'X25519', true, ['deriveBits'])), 'DataError');
        same('a key that is too short', await nameOf(subtle.importKey('raw', new Uint8Array(32), 'X448', true, [])), 'DataError');
        same('the algorithm of another curve', await nameOf(subtle.importKey('pkcs8', pkcs8, 'Ed448', true, ['sign'])), 'DataError');
        const one = await subtle.generateKey('X448', false, ['deriveBits']);
        const other = await subtle.generateKey('X448', false, ['deriveBits']);
        const shared = ({ privateKey }, { publicKey }) => subtle.deriveBits({ name: 'X448', public: publicKey }, privateKey, 448);
        same('new keys', hex(await shared(one, other)), hex(await shared(other, one)));
        const spki = await subtle.exportKey('spki', one.publicKey);
        same('its spki', hex(spki).slice(0, 24), '3042300506032b656f033900');
        const x25519 = await subtle.generateKey('X25519', false, ['deriveBits']);
        same('a key of another curve', await nameOf(shared(one, x25519)), 'InvalidAccessError');
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
