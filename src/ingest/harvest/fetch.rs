//! One answer from another repository, within bounds of time, size and place.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, LOCATION, RETRY_AFTER};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use tokio::io::AsyncWriteExt as _;
use url::{Host, Url};

use super::address::is_public;
use crate::catalogue::FileType;
use crate::config;

/// Redirects that are followed for one answer.
const MAX_REDIRECTS: usize = 3;

/// Longest pause that a repository may ask for.
const MAX_WAIT: Duration = Duration::from_hours(24);

/// How we say who we are.
const AGENT: &str = concat!("duoku/", env!("CARGO_PKG_VERSION"), " (OAI-PMH harvester)");

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(in crate::ingest) enum Error {
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
    TooLong(u64),
    /// It cannot be written down.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It does not answer.
    #[error("{0}")]
    Http(#[from] reqwest::Error),
}

impl Error {
    /// Code of the sentence that people read, and the value in question; `None`: a pause.
    pub(in crate::ingest) fn reason(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Later(_) => None,
            Self::Forbidden(host) => Some(("harvest_forbidden", host.clone())),
            Self::Status(status) => Some(("harvest_status", status.to_string())),
            Self::TooLong(most) => Some(("harvest_too_long", most.to_string())),
            Self::Io(error) => Some(("internal", error.to_string())),
            Self::Http(error) => {
                // The innermost cause says what it was; the outer ones say where.
                let mut cause: &(dyn std::error::Error + 'static) = error;
                while let Some(inner) = cause.source() {
                    cause = inner;
                }
                match cause.downcast_ref::<Self>() {
                    Some(Self::Forbidden(host)) => Some(("harvest_forbidden", host.clone())),
                    _ => Some(("harvest_unreachable", cause.to_string())),
                }
            }
        }
    }

    /// Whether it may go better later.
    pub(in crate::ingest) fn is_transient(&self) -> bool {
        match self {
            Self::Later(_) | Self::Io(_) => true,
            Self::Status(status) => status.is_server_error(),
            Self::Http(_) => !matches!(self.reason(), Some(("harvest_forbidden", _))),
            Self::Forbidden(_) | Self::TooLong(_) => false,
        }
    }
}

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) struct Saved {
    /// As its home calls it, else the end of its address; may be empty.
    pub(in crate::ingest) file_name: String,
    pub(in crate::ingest) bytes: i64,
    /// It is a web page.
    pub(in crate::ingest) is_page: bool,
}

/// Asks other repositories.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct Fetcher {
    client: reqwest::Client,
    inside: bool,
    max_bytes: u64,
}

impl Fetcher {
    /// One that takes records, and keeps to `settings`.
    ///
    /// # Errors
    ///
    /// [`Error::Http`] when TLS cannot be had.
    pub(super) fn new(settings: &config::Harvest) -> Result<Self, Error> {
        Self::within(settings, settings.timeout_ms, settings.max_answer_bytes as u64)
    }

    /// One that takes files, as large as somebody could upload.
    ///
    /// # Errors
    ///
    /// [`Error::Http`] when TLS cannot be had.
    pub(in crate::ingest) fn of_files(config: &config::Config) -> Result<Self, Error> {
        let max_bytes = u64::try_from(config.upload.max_bytes).unwrap_or(0);
        Self::within(&config.harvest, config.harvest.copy_timeout_ms, max_bytes)
    }

    fn within(settings: &config::Harvest, whole_ms: u64, max_bytes: u64) -> Result<Self, Error> {
        let timeout = Duration::from_millis(settings.timeout_ms);
        let client = reqwest::Client::builder()
            .user_agent(AGENT)
            .redirect(Policy::none())
            .no_proxy()
            .connect_timeout(timeout.min(Duration::from_secs(10)))
            .read_timeout(timeout)
            .timeout(Duration::from_millis(whole_ms))
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(Names { inside: settings.private_addresses }))
            .build()?;
        Ok(Self { client, inside: settings.private_addresses, max_bytes })
    }

    /// What is at `url`.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub(super) async fn get(&self, url: &Url) -> Result<Vec<u8>, Error> {
        let mut response = self.ask(url).await?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await? {
            if (body.len() + piece.len()) as u64 > self.max_bytes {
                return Err(Error::TooLong(self.max_bytes));
            }
            body.extend_from_slice(&piece);
        }
        Ok(body)
    }

    /// Writes what is at `url` to `path`, durable; `tell` hears what share of it is there, where the
    /// whole is known. A web page is not read.
    ///
    /// # Errors
    ///
    /// [`Error`].
    pub(in crate::ingest) async fn save(
        &self,
        url: &Url,
        path: &Path,
        tell: impl Fn(f64),
    ) -> Result<Saved, Error> {
        let mut response = self.ask(url).await?;
        let field = |name| response.headers().get(name).and_then(|v| v.to_str().ok());
        let media_type = field(CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let is_page = media_type.starts_with("text/html") || media_type.contains("xhtml");
        let named = field(CONTENT_DISPOSITION).and_then(name_in);
        let file_name = named.unwrap_or_else(|| name_of(response.url()));
        let mut saved = Saved { file_name, bytes: 0, is_page };
        if is_page {
            return Ok(saved);
        }
        let whole = response.content_length();
        if whole.is_some_and(|whole| whole > self.max_bytes) {
            return Err(Error::TooLong(self.max_bytes));
        }
        let mut file = tokio::fs::File::create(path).await?;
        while let Some(piece) = response.chunk().await? {
            saved.bytes += piece.len() as i64;
            if saved.bytes.cast_unsigned() > self.max_bytes {
                return Err(Error::TooLong(self.max_bytes));
            }
            file.write_all(&piece).await?;
            if let Some(whole) = whole.filter(|whole| *whole > 0) {
                tell(saved.bytes as f64 / whole as f64);
            }
        }
        file.flush().await?;
        file.sync_all().await?;
        Ok(saved)
    }

    /// Asks for `url`, and goes where it leads.
    async fn ask(&self, url: &Url) -> Result<reqwest::Response, Error> {
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
            return Ok(response);
        }
        Err(Error::Status(StatusCode::LOOP_DETECTED))
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

/// The file's name in `Content-Disposition` (RFC 6266), in UTF-8 or plain.
fn name_in(field: &str) -> Option<String> {
    let parameter = |name: &str| {
        field.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let encoded = parameter("filename*").and_then(|value| {
        let (_, text) = value.split_once("''")?;
        Some(decoded(text))
    });
    let plain = || parameter("filename").map(|name| name.trim_matches('"').to_owned());
    encoded.or_else(plain).map(|name| plain_name(&name)).filter(|name| !name.is_empty())
}

/// The end of an address, when it has the ending of a file that can be used.
fn name_of(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let name = decoded(last);
    let is_file = FileType::by_name(&name).is_ok_and(|found| found.is_some());
    if is_file { plain_name(&name) } else { String::new() }
}

/// Without percent encoding.
fn decoded(text: &str) -> String {
    let text = text.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    let name = url::form_urlencoded::parse(text.as_bytes()).next();
    name.map(|(name, _)| name.into_owned()).unwrap_or_default()
}

/// A name without folders and signs that no name has; at most 200 letters, its ending among them.
fn plain_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: Vec<char> = name.chars().filter(|c| !c.is_control()).collect();
    kept[kept.len().saturating_sub(200)..].iter().collect()
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
    fn files_are_called_as_their_home_calls_them() {
        let named = |field: &str| name_in(field).unwrap_or_default();
        assert_eq!(
            named("attachment; filename=\"a.pdf\"; filename*=UTF-8''%E5%89%AA.pdf"),
            "剪.pdf"
        );
        assert_eq!(named("attachment; filename=\"../../etc/a.pdf\""), "a.pdf");
        assert_eq!(named("inline"), "");
        let at = |url: &str| name_of(&Url::parse(url).expect("an address"));
        assert_eq!(at("https://a.example/x/%E5%89%AA.mp4?q=1"), "剪.mp4");
        assert_eq!(at("https://a.example/bitstream/download.php"), "");
    }

    #[test]
    fn pauses_are_bounded() {
        assert_eq!(pause("7"), Duration::from_secs(7));
        assert_eq!(pause(""), Duration::from_secs(60));
        assert_eq!(pause("0"), Duration::from_secs(1));
        assert_eq!(pause("99999999"), MAX_WAIT);
        assert_eq!(pause("Thu, 01 Jan 1970 00:00:00 GMT"), Duration::from_secs(60));
    }
}
