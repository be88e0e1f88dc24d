export const title = "JSON.parse → nested Map";
export const reads = ["values.json"];

export function open({ files, block }) {
  const values = JSON.parse(files["values.json"].latin1Slice());
  const subjects = new Map(values.map(([id, features]) => [id, new Map(Object.entries(features))]));
  return (i) => subjects.get(block.subjects[i])?.get(block.features[i])?.hasAccess === true;
}
