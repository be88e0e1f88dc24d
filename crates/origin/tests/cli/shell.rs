//! A folder in which commands run, as a user calls them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

pub(crate) const NOW: &str = "2026-11-20T12:34:00Z";

/// A folder in which commands run.
pub(crate) struct Shell(TempDir);

impl Shell {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_edgegrant"));
        command.current_dir(self.0.path()).args(line.split_whitespace());
        command.env("EDGEGRANT_AUDIENCE", "acme/test").env("EDGEGRANT_FOLDER", "out");
        if let Ok(key) = fs::read_to_string(self.path("key.pub")) {
            command.env("EDGEGRANT_TRUSTED_KEYS", key.trim());
        }
        command
    }

    pub(crate) fn output(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    /// Standard output of a command that must end with a code.
    pub(crate) fn run(&self, line: &str, code: i32) -> String {
        let output = self.output(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{line}: {errors}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn json(&self, line: &str, code: i32) -> Value {
        serde_json::from_str(&self.run(&format!("--json {line}"), code)).unwrap()
    }

    /// Serves `out` with a token, and says at which address.
    pub(crate) fn serve(&self, token: &str) -> (Served, String) {
        let mut command = self.command("serve out --port 0 --json");
        let child = command.env("EDGEGRANT_TOKEN", token).stdout(Stdio::piped()).spawn();
        let mut child = child.unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url: Value = serde_json::from_str(&line).unwrap();
        let url = url.pointer("/url").unwrap().as_str().unwrap();
        let address = url.trim_start_matches("http://").trim_end_matches('/');
        assert!(address.starts_with("127.0.0.1:"));
        (Served(child), address.to_owned())
    }

    /// The error that a command ends with.
    pub(crate) fn error(&self, line: &str, code: i32) -> Value {
        let output = self.output(&format!("--json {line}"));
        assert_eq!(output.status.code(), Some(code), "{line}");
        let errors = String::from_utf8(output.stderr).unwrap();
        serde_json::from_str(errors.lines().last().unwrap()).unwrap()
    }
}

/// Ends what it started.
pub(crate) struct Served(pub(crate) Child);

impl Drop for Served {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// A shell in which ten customers are imported and published.
pub(crate) fn published() -> Shell {
    let shell = Shell::new();
    shell.run(&format!("generate --openmeter export --subjects 10 --seed 4 --at {NOW}"), 0);
    shell.run(&format!("import openmeter export --at {NOW} --out facts.ndjson"), 0);
    let key = shell.run("keygen --out key", 0);
    fs::write(shell.path("key.pub"), key).unwrap();
    shell.run(&format!("publish facts.ndjson --out out --key-file key --at {NOW}"), 0);
    shell
}

/// One request; the status, the headers and the body.
pub(crate) fn get(address: &str, path: &str, headers: &str) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let (head, body) = answer.split_at(end + 4);
    let head = String::from_utf8(head.to_vec()).unwrap().to_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, body.to_vec())
}
