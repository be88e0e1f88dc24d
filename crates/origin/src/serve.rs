//! The development origin: a published folder over HTTP, on this machine only.
//!
//! The head is for everybody; the private part asks for a bearer token. Files have entity tags, are
//! served in ranges and answered 304 when they are known.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{CACHE_CONTROL, HeaderValue, WWW_AUTHENTICATE};
use axum::http::{StatusCode, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tower_http::services::ServeDir;

use crate::bearer;
use crate::compat::{self, World};
use crate::failure::{Exit, Failure};
use crate::folder::Folder;

/// A server that listens and does not answer yet.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Listens on a port of 127.0.0.1; 0 chooses one. With a world to ask, it answers the read
    /// calls of other systems too.
    ///
    /// # Errors
    /// A port that is taken.
    pub async fn bind(
        folder: &Folder,
        token: &str,
        compat: Option<World>,
        port: u16,
    ) -> Result<Self, Failure> {
        let asked = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let failed = |error: std::io::Error| Failure {
            code: "listen".into(),
            message: format!("{asked}: {error}; choose another --port"),
            exit: Exit::Io,
        };
        let listener = TcpListener::bind(asked).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, router: router(folder, token, compat), address })
    }

    /// Answers until the process is interrupted.
    ///
    /// # Errors
    /// A listener that fails.
    pub async fn run(self) -> Result<(), Failure> {
        let interrupted = async {
            // Without the signal the process is ended by whoever started it.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let served = axum::serve(self.listener, self.router).with_graceful_shutdown(interrupted);
        served.await.map_err(|error| Failure {
            code: "serve".into(),
            message: error.to_string(),
            exit: Exit::Io,
        })
    }
}

fn router(folder: &Folder, token: &str, compat: Option<World>) -> Router {
    let files =
        |name| ServeDir::new(folder.path().join(name)).append_index_html_on_directories(false);
    let token: Arc<[u8; 32]> = Arc::new(Sha256::digest(token).into());
    let private = Router::new()
        .fallback_service(files("private"))
        .layer(middleware::from_fn_with_state(token, authorized))
        .layer(middleware::from_fn(immutable));
    let public = Router::new().fallback_service(files("public")).layer(middleware::from_fn(fresh));
    let compat = compat.map(compat::router).unwrap_or_default();
    Router::new().nest("/public", public).nest("/private", private).merge(compat).fallback(missing)
}

/// Lets requests with the token pass. Digests are compared, so that time tells nothing of it.
async fn authorized(State(token): State<Arc<[u8; 32]>>, request: Request, next: Next) -> Response {
    if bearer::token(request.headers()).is_some_and(|given| Sha256::digest(given)[..] == token[..])
    {
        return next.run(request).await;
    }
    let challenge = [(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))];
    (StatusCode::UNAUTHORIZED, challenge, "the private part asks for a bearer token\n")
        .into_response()
}

/// Files named by their digest never change.
async fn immutable(request: Request, next: Next) -> Response {
    cached(next.run(request).await, "private, max-age=31536000, immutable")
}

/// The head is asked for each time.
async fn fresh(request: Request, next: Next) -> Response {
    cached(next.run(request).await, "no-cache")
}

fn cached(mut response: Response, how: &'static str) -> Response {
    let known = response.status().is_success() || response.status() == StatusCode::NOT_MODIFIED;
    let how = if known { how } else { "no-store" };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(how));
    response
}

async fn missing(uri: Uri) -> (StatusCode, String) {
    let hint = "an origin has public/head, private/pack/…, private/part/… and private/delta/…";
    (StatusCode::NOT_FOUND, format!("{}: not here; {hint}\n", uri.path()))
}
