//! One answer from another repository, within bounds of time, size and place.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{LOCATION, RETRY_AFTER};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use url::{Host, Url};

use super::address::is_public;
use crate::config;

/// Redirects that are followed for one answer.
const MAX_REDIRECTS: usize = 3;

/// Longest pause that a repository may ask for.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// How we say who we are.
const AGENT: &str = concat!("duoku/", env!("CARGO_PKG_VERSION"), " (OAI-PMH harvester)");

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// The address leads into the operator's own network, or not to the web.
    #[error("{0} may not be asked")]
    Forbidden(String),
    /// It asks for a pause.
    #[error("to be asked again after {0:?}")]
    Later(Duration),
    /// It answers with another status.
    #[error("status {0}")]
    Status(StatusCode),
    /// The answer is too long.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// It does not answer.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
}

/// Asks other repositories.
#[derive(Debug, Clone)]
pub(super) struct Fetcher {
    client: reqwest::Client,
    inside: bool,
    max_bytes: usize,
}

impl Fetcher {
    /// One that keeps to `settings`.
    ///
    /// # Errors
    ///
    /// [`Error::Http`] when TLS cannot be had.
    pub(super) fn new(settings: &config::Harvest) -> Result<Self, Error> {
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .timeout(timeout)
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(Names { inside: settings.private_addresses }))
            .build()?;
        let max_bytes = settings.max_answer_bytes;
        Ok(Self { client, inside: settings.private_addresses, max_bytes })
    }

    /// What is at `url`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub(super) async fn get(&self, url: &Url) -> Result<Vec<u8>, Error> {
        let mut url = url.clone();
        for _ in 0..=MAX_REDIRECTS {
            self.check(&url)?;
            let response = self.client.get(url.clone()).send().await?;
            let status = response.status();
            let field = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
            if status.is_redirection() {
                let to = field(LOCATION).and_then(|to| url.join(to).ok());
                url = to.ok_or(Error::Status(status))?;
                continue;
            }
            if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
                return Err(Error::Later(pause(field(RETRY_AFTER).unwrap_or_default())));
            }
            if status != StatusCode::OK {
                return Err(Error::Status(status));
            }
            return self.body(response).await;
        }
        Err(Error::Status(StatusCode::LOOP_DETECTED))
    }

    async fn body(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if body.len() + piece.len() > self.max_bytes {
                return Err(Error::TooLong(self.max_bytes));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Names are looked at when they are resolved; addresses have none.
    fn check(&self, url: &Url) -> Result<(), Error> {
        let web = matches!(url.scheme(), "http" | "https");
        let open = match url.host() {
            Some(Host::Ipv4(address)) => self.inside || is_public(IpAddr::V4(address)),
            Some(Host::Ipv6(address)) => self.inside || is_public(IpAddr::V6(address)),
            Some(Host::Domain(_)) => true,
            None => false,
        };
        let host = || url.host_str().unwrap_or_default().to_owned();
        if web && open { Ok(()) } else { Err(Error::Forbidden(host())) }
    }
}

/// How long `Retry-After` says, in seconds or as a date (RFC 9110 section 10.2.3); a minute when it
/// says nothing.
fn pause(field: &str) -> Duration {
    let seconds = field.trim().parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::parse(field).ok()?.timestamp();
        u64::try_from(at.duration_since(jiff::Timestamp::now()).as_secs()).ok()
    });
    Duration::from_secs(seconds.unwrap_or(60)).clamp(Duration::from_secs(1), MAX_WAIT)
}

/// Finds addresses, and leaves out those that may not be asked: what is connected to is what was
/// looked at, so a name cannot mean another address the second time.
#[derive(Debug)]
struct Names {
    inside: bool,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let inside = self.inside;
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let open: Vec<SocketAddr> =
                found.filter(|address| inside || is_public(address.ip())).collect();
            if open.is_empty() {
                return Err(Box::new(Error::Forbidden(name.as_str().to_owned())).into());
            }
            Ok(Box::new(open.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_bounded() {
        assert_eq!(pause("7"), Duration::from_secs(7));
        assert_eq!(pause(""), Duration::from_secs(60));
        assert_eq!(pause("0"), Duration::from_secs(1));
        assert_eq!(pause("99999999"), MAX_WAIT);
        assert_eq!(pause("Thu, 01 Jan 1970 00:00:00 GMT"), Duration::from_secs(60));
    }
}
