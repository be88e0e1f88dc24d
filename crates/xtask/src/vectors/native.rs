//! The engine and the gate as they are compiled for this machine.

use anyhow::{Result, bail};
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::Case;
use edgegrant_testkit::published::Published;
use edgegrant_testkit::question::Question;
use edgegrant_testkit::{engine, line};

use super::{Host, Visit};

pub(super) struct Native;

impl Host for Native {
    fn answers(&mut self, case: &Case) -> Vec<Result<Answer>> {
        let questions = case.asked.iter().map(|asked| &asked.question);
        questions.map(|question| Ok(engine::answer(question)?)).collect()
    }

    fn visits(
        &mut self,
        snapshot: &Published,
        visits: &[Visit<'_>],
    ) -> Result<Vec<Result<Answer>>> {
        let mut gate = line::load(snapshot)?;
        let mut answer = |(place, visit): (usize, &Visit<'_>)| {
            let Question::Value { at, .. } = &visit.asked.question else {
                bail!("only values are asked of a gate");
            };
            Ok(line::value(&mut gate, place, &visit.publication.later, *at)?)
        };
        Ok(visits.iter().enumerate().map(&mut answer).collect())
    }
}
