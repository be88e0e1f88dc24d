// A token for each subject, with what it may use.

const ALGORITHM = "EdDSA";

/** The public key and the tokens in the order of the subjects. */
export async function sign({ generateKeyPair, exportJWK, SignJWT }, values, now) {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const at = Math.floor(now / 1000);
  const token = ([id, features]) => {
    const access = Object.entries(features).filter(([, { hasAccess }]) => hasAccess);
    const claims = new SignJWT({ features: access.map(([feature]) => feature) });
    const timed = claims
      .setSubject(id)
      .setIssuedAt(at)
      .setExpirationTime(at + 86_400);
    return timed.setProtectedHeader({ alg: ALGORITHM }).sign(privateKey);
  };
  return { key: await exportJWK(publicKey), tokens: await Promise.all(values.map(token)) };
}

export async function ask({ importJWK, jwtVerify }, { files, block }) {
  const { key, tokens } = JSON.parse(files["tokens.json"].toString());
  const trusted = await importJWK(key, ALGORITHM);
  return async (i) => {
    const options = { subject: block.subjects[i], currentDate: new Date(block.now) };
    const { payload } = await jwtVerify(tokens[block.numbers[i]], trusted, options);
    return payload.features.includes(block.features[i]);
  };
}
