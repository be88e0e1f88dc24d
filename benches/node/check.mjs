// What an answer costs, beside what a plain lookup costs in the same run.

import { join } from "node:path";
import { budget, contend, load, ratio, refuseWrong } from "./contend.mjs";
import { dataset, sizesUpTo } from "./dataset.mjs";
import { digits, keep, table } from "./table.mjs";

/** In the order of the table; each is a file in `contenders`. */
const CONTENDERS = ["floor", "strings", "decision", "handle", "feature", "call", "clock", "loop"];
const EFFORT = { rounds: 5, seconds: 0.3 };

const contenders = await load(join(import.meta.dirname, "contenders"), CONTENDERS);
const measured = [];
for (const subjects of sizesUpTo(Number(process.argv[2]))) {
  // What answers nothing costs the same with any data.
  const asked = contenders.filter(({ answersNothing }) => !answersNothing || !measured.length);
  const figures = await contend(asked, await dataset(subjects), EFFORT);
  measured.push({ subjects, figures });
  tell(subjects, asked, figures);
}
keep("check", measured);
measured.forEach(({ figures }) => refuseWrong(figures));

function tell(subjects, asked, figures) {
  const [floor] = figures;
  const rows = figures.map((figure, index) => [
    figure.title,
    digits(figure.checkNs.median),
    digits(figure.checkNs.best),
    digits(ratio(figure, floor)),
    figure.wrong,
    digits(figure.loadMs),
    digits(figure.memoryBytes / 1e6),
    budget(asked[index], subjects, figures),
  ]);
  console.log(`\n${subjects.toLocaleString("en")} subjects × 10 features, at random`);
  const titles = ["question", ">ns, median", ">best", ">÷ floor", ">wrong"];
  console.log(table([...titles, ">load, ms", ">memory, MB", "budget"], rows));
}
