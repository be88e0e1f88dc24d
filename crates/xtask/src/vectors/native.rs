//! The engine and the gate as they are compiled for this machine.

use std::path::Path;

use anyhow::{Result, bail};
use edgegrant_testkit::answer::Answer;
use edgegrant_testkit::case::Case;
use edgegrant_testkit::published::Published;
use edgegrant_testkit::question::Question;
use edgegrant_testkit::{engine, line};

use super::{Host, Visit};

pub(super) struct Native;

impl Host for Native {
    fn answers(&mut self, _: &Path, cases: &[Case]) -> Result<Vec<Vec<Result<Answer>>>> {
        let answers = |case: &Case| match case.skip {
            Some(_) => Vec::new(),
            None => case.asked.iter().map(|asked| Ok(engine::answer(&asked.question)?)).collect(),
        };
        Ok(cases.iter().map(answers).collect())
    }

    fn visits(
        &mut self,
        snapshot: &Published,
        visits: &[Visit<'_>],
    ) -> Result<Vec<Result<Answer>>> {
        let mut gate = line::load(snapshot)?;
        let mut answer = |(place, visit): (usize, &Visit<'_>)| {
            let later = &visit.publication.later;
            match &visit.asked.question {
                Question::Value { at, .. } => Ok(line::value(&mut gate, place, later, *at)?),
                Question::History { query, .. } => {
                    Ok(line::history(&mut gate, place, later, query)?)
                }
                Question::Access(access) => Ok(line::access_at(&gate, place, access)),
                _ => bail!("this is not asked of a gate"),
            }
        };
        Ok(visits.iter().enumerate().map(&mut answer).collect())
    }
}
