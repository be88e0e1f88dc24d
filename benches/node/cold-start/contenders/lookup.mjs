// What a service without a snapshot does: `JSON.parse` → nested `Map`.

export async function run({ given, lap }) {
  const { subject, feature, files } = given;
  const values = JSON.parse(new TextDecoder().decode(files["values.json"]));
  const subjects = new Map(values.map(([id, features]) => [id, new Map(Object.entries(features))]));
  await lap("body");
  const answer = subjects.get(subject)?.get(feature)?.hasAccess === true;
  await lap("answer");
  return answer;
}
