//! `edgegrant serve`

use std::path::PathBuf;

use super::Outcome;
use crate::disk;
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::serve::Server;

/// The environment's place for the token.
const TOKEN_VARIABLE: &str = "EDGEGRANT_TOKEN";

/// Serve a published folder on 127.0.0.1, for development.
///
/// The head is public. The private part asks for `Authorization: Bearer …` with the token of the
/// file or of the environment's EDGEGRANT_TOKEN.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder that publish wrote.
    folder: PathBuf,
    /// The port; 0 chooses one.
    #[arg(long, default_value_t = 8787)]
    port: u16,
    /// A file that holds the token.
    #[arg(long)]
    token_file: Option<PathBuf>,
}

pub(super) fn run(args: &Args, json: bool) -> Outcome {
    let token = token(args)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::io(&args.folder, &error))?;
    runtime.block_on(async {
        let server = Server::bind(&Folder::new(&args.folder), &token, args.port).await?;
        let url = format!("http://{}/", server.address);
        if json {
            say!("{}", serde_json::json!({ "url": url }));
        } else {
            say!("serving {} at {url}", args.folder.display());
        }
        server.run().await
    })?;
    Ok(Exit::Ok)
}

fn token(args: &Args) -> Result<String, Failure> {
    let text = match &args.token_file {
        Some(file) => String::from_utf8_lossy(&disk::read(file, 4096)?).into_owned(),
        None => std::env::var(TOKEN_VARIABLE).unwrap_or_default(),
    };
    let token = text.trim();
    if token.is_empty() {
        let message = "the private part needs a token; name a --token-file or set EDGEGRANT_TOKEN";
        return Err(Failure::bad_input("token-missing", message));
    }
    Ok(token.to_owned())
}
