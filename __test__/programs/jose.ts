// Signs, verifies and encrypts tokens with WebCrypto: jose.

import {
  CompactEncrypt,
  compactDecrypt,
  exportJWK,
  generateKeyPair,
  importJWK,
  jwtVerify,
  SignJWT,
} from 'jose';

const secret = new TextEncoder().encode('cc7e0d44fd473002f1c42167459001140ec6389b7353f8088f4d9a95f2f596f2');

export default {
  async fetch(): Promise<Response> {
    const subjects: string[] = [];
    const hmac = await new SignJWT({ 'urn:example:claim': true })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('hmac')
      .setIssuedAt()
      .setExpirationTime('2h')
      .sign(secret);
    subjects.push((await jwtVerify(hmac, secret)).payload.sub ?? '');
    for (const alg of ['ES256', 'EdDSA', 'PS256', 'RS256']) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      const token = await new SignJWT({}).setProtectedHeader({ alg }).setSubject(alg).sign(privateKey);
      const verifier = await importJWK(await exportJWK(publicKey), alg);
      subjects.push((await jwtVerify(token, verifier)).payload.sub ?? '');
    }
    const { publicKey, privateKey } = await generateKeyPair('ECDH-ES+A256KW');
    const sealed = await new CompactEncrypt(new TextEncoder().encode('sealed'))
      .setProtectedHeader({ alg: 'ECDH-ES+A256KW', enc: 'A256GCM' })
      .encrypt(publicKey);
    const { plaintext } = await compactDecrypt(sealed, privateKey);
    const forged = `${hmac.slice(0, -4)}AAAA`;
    const refused = await jwtVerify(forged, secret).catch((error: { code: string }) => error.code);
    return Response.json({ subjects, opened: new TextDecoder().decode(plaintext), refused });
  },
};
