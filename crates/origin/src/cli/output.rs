//! Output that appears whole or not at all, and the host's clock.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use edgegrant::Instant;
use tempfile::NamedTempFile;

use crate::disk::{Readers, beside, is_device, open_device};
use crate::failure::Failure;

/// Output that is kept aside until it is complete.
#[derive(Debug)]
pub(super) struct Pending {
    file: BufWriter<NamedTempFile>,
    target: PathBuf,
}

impl Pending {
    /// Output for a file, or for standard output as `-`.
    pub(super) fn new(target: &Path) -> Result<Self, Failure> {
        let beside = match target {
            _ if target == Path::new("-") || is_device(target) => NamedTempFile::new(),
            _ => beside(target, Readers::Masked),
        };
        let file = beside.map_err(|error| Failure::io(target, &error))?;
        Ok(Self { file: BufWriter::new(file), target: target.to_owned() })
    }

    /// Writes a value and a line feed.
    pub(super) fn line(&mut self, value: &impl serde::Serialize) -> Result<(), Failure> {
        let written = serde_json::to_writer(&mut self.file, value).map_err(io::Error::from);
        let ended = written.and_then(|()| self.file.write_all(b"\n"));
        ended.map_err(|error| Failure::io(&self.target, &error))
    }

    /// Writes bytes as they are.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file.write_all(bytes).map_err(|error| Failure::io(&self.target, &error))
    }

    /// Puts the output where it belongs.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let target = self.target;
        let failed = |error: io::Error| Failure::io(&target, &error);
        let file = self.file.into_inner().map_err(|error| failed(error.into_error()))?;
        if target == Path::new("-") {
            let mut whole = file.reopen().map_err(failed)?;
            return io::copy(&mut whole, &mut io::stdout()).map(|_| ()).map_err(failed);
        }
        if is_device(&target) {
            let mut whole = file.reopen().map_err(failed)?;
            let mut device = open_device(&target).map_err(failed)?;
            return io::copy(&mut whole, &mut device).map(|_| ()).map_err(failed);
        }
        file.persist(&target).map(|_| ()).map_err(|error| failed(error.error))
    }
}

/// Prints a line where somebody reads it.
pub(super) fn say(line: fmt::Arguments<'_>) {
    let _nobody_reads = writeln!(io::stdout(), "{line}");
}

/// Tells of something that somebody should know and that is no fault.
pub(super) fn warn(code: &str, message: &str, json: bool) {
    if json {
        let warning = serde_json::json!({ "code": code, "message": message });
        eprintln!("{}", serde_json::json!({ "warning": warning }));
    } else {
        eprintln!("edgegrant: {message} ({code})");
    }
}

/// The host's clock. Only the command line reads it.
pub(super) fn now() -> Instant {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let millis = i64::try_from(since.as_millis()).unwrap_or(0);
    Instant::from_millis(millis).unwrap_or(Instant::MAX)
}

/// Reads an instant of the command line.
pub(super) fn instant(text: &str) -> Result<Instant, edgegrant::Error> {
    Instant::parse(text)
}
