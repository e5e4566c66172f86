//! One question to a provider, within bounds of time and size; redirects are not followed.

use std::time::Duration;

use reqwest::redirect::Policy;

use super::settings::{Identity, Provider};

/// How we say who we are.
const AGENT: &str = concat!("duoku/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    /// The address is not safe to ask.
    #[error("{0} is not https")]
    Unsafe(String),
    /// The answer is too long.
    #[error("an answer longer than {0} bytes")]
    TooLong(usize),
    /// It does not answer.
    #[error("{}", told(.0))]
    Http(#[from] reqwest::Error),
    /// The answer cannot be passed on.
    #[error(transparent)]
    Bad(#[from] http::Error),
}

/// Without the address, which may hold a code; with the innermost cause.
fn told(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    if error.is_timeout() { "it took too long".to_owned() } else { cause.to_string() }
}

/// Asks one provider.
#[derive(Debug)]
pub(super) struct Fetcher {
    client: reqwest::Client,
    max_bytes: usize,
    provider: Provider,
}

impl Fetcher {
    /// # Errors
    ///
    /// [`FetchError::Http`] when TLS cannot be had.
    pub(super) fn new(settings: &Identity, provider: Provider) -> Result<Self, FetchError> {
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(timeout)
            .timeout(timeout)
            .pool_max_idle_per_host(1)
            .build()?;
        Ok(Self { client, max_bytes: settings.max_answer_bytes, provider })
    }

    /// # Errors
    ///
    /// [`FetchError`].
    pub(super) async fn send(
        &self,
        request: http::Request<Vec<u8>>,
    ) -> Result<http::Response<Vec<u8>>, FetchError> {
        let request = reqwest::Request::try_from(request)?;
        if !self.provider.may_ask(request.url()) {
            return Err(FetchError::Unsafe(request.url().origin().ascii_serialization()));
        }
        let mut response = self.client.execute(request).await?;
        let mut answer = http::Response::builder().status(response.status());
        if let Some(headers) = answer.headers_mut() {
            headers.clone_from(response.headers());
        }
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > self.max_bytes {
                return Err(FetchError::TooLong(self.max_bytes));
            }
            body.extend_from_slice(&piece);
        }
        Ok(answer.body(body)?)
    }
}
