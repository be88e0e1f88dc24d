//! `edgegrant serve`

use std::path::PathBuf;

use super::{Outcome, secrets};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;
use crate::serve::Server;

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
    let message = "the private part needs a token; name a --token-file or set EDGEGRANT_TOKEN";
    let token = secrets::token(args.token_file.as_deref())?;
    token.ok_or_else(|| Failure::bad_input("token-missing", message))
}
