//! A gate and the facts beside it, for handlers that run wherever the server likes.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use edgegrant::{Instant, gate};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::present::Present;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// What to answer from, and whom to trust.
pub struct Options {
    /// The folder that publish wrote.
    pub folder: Folder,
    /// The files that it was published from.
    pub facts: Vec<PathBuf>,
    /// Whom the snapshot must be for, and whose signatures count.
    pub gate: gate::Options,
    /// What the time is.
    pub clock: Box<dyn Fn() -> Instant + Send>,
}

/// A question, which takes its answer where it belongs.
type Question = Box<dyn FnOnce(&Present) + Send>;

/// Asks a gate that lives on a thread of its own, since a gate stays where it was made.
///
/// Before each question the gate takes over what was published since the last one, and reads the
/// facts again.
pub struct World {
    questions: mpsc::Sender<Question>,
    token: [u8; 32],
}

impl World {
    /// Verifies the snapshot and reads the facts.
    ///
    /// # Errors
    /// A snapshot that is refused, facts that are wrong, and files that cannot be read.
    pub fn open(options: Options, token: &str) -> Result<Self, Failure> {
        let (questions, asked) = mpsc::channel::<Question>();
        let (opened, outcome) = mpsc::channel();
        let answer = move || {
            let mut present = match Present::open(options) {
                Ok(present) => present,
                Err(failure) => return opened.send(Err(failure)).unwrap_or_default(),
            };
            opened.send(Ok(())).unwrap_or_default();
            for question in asked {
                present.renew();
                question(&present);
            }
        };
        thread::Builder::new().name("compat".into()).spawn(answer).map_err(|_| GONE.failure())?;
        outcome.recv().map_err(|_| GONE.failure())??;
        Ok(Self { questions, token: Sha256::digest(token).into() })
    }

    /// The answer to a question, also to one that asks for no decision: without a snapshot to
    /// decide by nothing is answered.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Present) -> T + Send + 'static,
    ) -> Result<T, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let question = |present: &Present| {
            _ = answer.send(present.is_usable().map(|()| question(present)));
        };
        self.questions.send(Box::new(question)).map_err(|_| GONE)?;
        answered.await.map_err(|_| GONE)?
    }

    /// Whether a text is the token. Digests are compared, so that time tells nothing of it.
    pub(super) fn is_token(&self, given: &str) -> bool {
        Sha256::digest(given)[..] == self.token[..]
    }
}

/// Why nothing can be answered now: the reason of a decision that is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unavailable(pub(super) &'static str);

const GONE: Unavailable = Unavailable("no-snapshot");

impl Unavailable {
    fn failure(self) -> Failure {
        let message = "the thread that answers has ended; serve again";
        Failure { code: self.0.into(), message: message.into(), exit: Exit::Io }
    }
}
