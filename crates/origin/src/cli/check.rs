//! `edgegrant check`

use super::Outcome;
use super::gate::{AnswerView, Asked, Question, print};
use crate::failure::Exit;

/// May this subject use this feature? Exits 1 when not.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    question: Question,
    #[command(flatten)]
    asked: Asked,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let answer = args.asked.explain(&args.question)?.answer;
    if json {
        super::print_json(&AnswerView::from(&answer))?;
    } else {
        print(&answer);
    }
    Ok(if answer.has_access { Exit::Ok } else { Exit::No })
}
