//! Settings: the defaults, then a file, then the environment; checked once, at the start.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::catalogue::Host;
use crate::identity::settings::{Identity, SECRET_VARIABLE};

const DEFAULTS: &str = include_str!("../config/duoku.toml");

/// Environment variables with names of their own.
const SHORT: &[(&str, &str, &str)] = &[
    ("DUOKU_LISTEN", "server", "listen"),
    ("DUOKU_DATA", "storage", "data"),
    ("DUOKU_DATABASE", "storage", "database"),
    ("DUOKU_STORE", "storage", "store"),
];

/// Variables that are not settings.
const OTHER: &[&str] = &["DUOKU_CONFIG", "DUOKU_ADMIN_PASSWORD"];

/// A setting that cannot be used, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("cannot read the settings in {path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not TOML, or a setting has a wrong type or name.
    #[error("{origin}: {problem}")]
    Bad {
        /// The file or variable.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
}

macro_rules! settings {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Deserialize)]
        #[serde(deny_unknown_fields)]
        #[expect(missing_docs, reason = "each is described in config/duoku.toml")]
        pub struct $name { $(pub $field: $type),+ }
    };
}

settings!(
    /// All settings; `config/duoku.toml` describes each.
    Config {
        site: Site,
        server: Server,
        rates: Rates,
        storage: Storage,
        upload: Upload,
        work: Work,
        media: Media,
        speech: Speech,
        ocr: Ocr,
        slides: Slides,
        twins: Twins,
        deliver: Deliver,
        review: Review,
        search: Search,
        exchange: Exchange,
        harvest: Harvest,
        courses: Courses,
        tables: Tables,
        session: Session,
        identity: Identity,
        log: Log,
    }
);
settings!(
    /// `[site]`
    Site { name: String, zone: String, examples: Vec<String> }
);
settings!(
    /// `[server]`
    Server {
        listen: SocketAddr,
        public_url: String,
        tls_certificate: PathBuf,
        tls_key: PathBuf,
        redirect_listen: String,
        hsts_seconds: u64,
        acme_domains: Vec<String>,
        acme_contact: String,
        acme_directory: String,
        threads: usize,
        trusted_proxies: Vec<IpAddr>,
        head_timeout_ms: u64,
        idle_timeout_ms: u64,
        body_timeout_ms: u64,
        min_body_rate_bytes: u32,
        write_timeout_ms: u64,
        max_head_bytes: usize,
        max_head_lines: usize,
        max_ranges: usize,
        http2_max_streams: u32,
        http2_window_bytes: u32,
        http2_ping_ms: u64,
        http2_max_resets: usize,
        max_requests: usize,
        max_pages: usize,
        max_searches: usize,
        max_memory_bytes: u64,
        max_connections: usize,
        max_connections_per_address: usize,
        notsent_lowat_bytes: u32,
        grace_ms: u64,
        max_json_bytes: usize,
    }
);
settings!(
    /// `[rates]`
    Rates {
        media_per_minute: u32,
        page_per_minute: u32,
        search_per_minute: u32,
        write_per_minute: u32,
        complaint_per_minute: u32,
        login_per_minute: u32,
    }
);
settings!(
    /// `[storage]`
    Storage {
        data: PathBuf,
        database: String,
        store: String,
        s3_path_style: bool,
        s3_timeout_ms: u64,
        s3_block_bytes: u64,
        s3_cache_bytes: u64,
        s3_source_cache_bytes: u64,
        s3_max_fetches: usize,
        s3_direct: S3Direct,
        s3_direct_url: String,
        s3_direct_minutes: u64,
    }
);
settings!(
    /// `[upload]`
    Upload {
        max_bytes: i64,
        expires_hours: i64,
        keep_free_bytes: i64,
        in_bucket: bool,
        max_caption_bytes: usize,
    }
);
settings!(
    /// `[work]`
    Work {
        workers: usize,
        light_workers: usize,
        max_library_jobs: i64,
        keep_free_bytes: i64,
        nice: i32,
        lease_ms: i64,
        poll_ms: u64,
        max_attempts: i64,
        backoff_ms: i64,
        stall_ms: u64,
        standstill_ms: u64,
        insecure_sandbox: bool,
    }
);
settings!(
    /// `[media]`
    Media {
        max_memory_bytes: u64,
        cpu_base_ms: u64,
        cpu_factor: u64,
        max_output_bytes: u64,
        crf: f64,
        picture_subtitles: transcode::PictureSubtitles,
        on_demand: bool,
        drop_after_days: i64,
        max_duration_ms: i64,
        max_pages: u32,
        convert_ms: u64,
        max_archive_entries: usize,
        max_inflated_bytes: u64,
        max_inflated_ratio: u64,
        max_xml_depth: usize,
        max_pixels: u64,
    }
);
settings!(
    /// `[speech]`
    Speech {
        engine: SpeechEngine,
        automatic: bool,
        model: PathBuf,
        command: Vec<String>,
        readable: Vec<PathBuf>,
        language: String,
        prompt: String,
        threads: usize,
        piece_seconds: u32,
        max_minutes_per_hour: u32,
        max_memory_bytes: u64,
    }
);
settings!(
    /// `[ocr]`
    Ocr { enabled: bool, languages: Vec<String>, dpi: u32, page_ms: u64 }
);
settings!(
    /// `[slides]`
    Slides { enabled: bool }
);
settings!(
    /// `[twins]`
    Twins { enabled: bool, max_minutes: i64, least_share: f64, backlog: i64 }
);
settings!(
    /// `[deliver]`
    Deliver { max_heads_bytes: u64, heads_at_once: usize }
);
settings!(
    /// `[courses]`
    Courses { max_lessons: usize, cartridge_file_bytes: i64 }
);
settings!(
    /// `[tables]`
    Tables { max_bytes: usize, max_rows: usize, max_cells: usize, keep_hours: i64 }
);
settings!(
    /// `[review]`
    Review { max_open_complaints: i64 }
);
settings!(
    /// `[search]`
    Search { dictionary: PathBuf, follow_ms: u64, answers_bytes: u64 }
);
settings!(
    /// `[exchange]`
    Exchange { oai_namespace: String, admin_email: String, records_per_answer: i64 }
);
settings!(
    /// `[harvest]`
    Harvest {
        pause_ms: u64,
        timeout_ms: u64,
        max_answer_bytes: usize,
        private_addresses: bool,
        copy_licences: Vec<String>,
        copy_timeout_ms: u64,
    }
);
settings!(
    /// `[session]`
    Session {
        days: i64,
        max_failures: u32,
        ticket_minutes: i64,
        domain: String,
        start_days: i64,
        reset_hours: i64,
    }
);
settings!(
    /// `[log]`
    Log { format: LogFormat, level: String, slow_ms: u64 }
);

/// Who recognises speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SpeechEngine {
    /// Nobody.
    Off,
    /// whisper.cpp, inside the media child.
    Whisper,
    /// A program of the operator's choice.
    Command,
}

/// Whether clients fetch objects from the bucket themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum S3Direct {
    /// All comes from here.
    Off,
    /// By addresses that are signed and end.
    Signed,
    /// By addresses that are open to everybody.
    Open,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// An error for the setting `name`.
fn bad<T>(name: &str, problem: &str) -> Result<T, Error> {
    Err(Error::Bad { origin: name.to_owned(), problem: problem.to_owned() })
}

impl Server {
    fn check(&self) -> Result<(), Error> {
        let url = &self.public_url;
        if !url.is_empty() && !url.starts_with("http://") && !url.starts_with("https://") {
            return bad("server.public_url", "must begin with http:// or https://");
        }
        let (certificate, key) = (&self.tls_certificate, &self.tls_key);
        if certificate.as_os_str().is_empty() != key.as_os_str().is_empty() {
            return bad("server.tls_key", "must be set together with server.tls_certificate");
        }
        if !self.acme_domains.is_empty() && !certificate.as_os_str().is_empty() {
            return bad("server.acme_domains", "cannot be set beside server.tls_certificate");
        }
        if self.acme_domains.iter().any(|name| name.contains('*')) {
            return bad("server.acme_domains", "TLS-ALPN-01 knows no wildcards");
        }
        if !self.redirect_listen.is_empty() && self.redirect_address().is_none() {
            return bad("server.redirect_listen", "must be an address and a port, or empty");
        }
        if !self.redirect_listen.is_empty() && !self.uses_tls() {
            return bad("server.redirect_listen", "leads nowhere without TLS");
        }
        if self.max_head_bytes < 8192 {
            return bad("server.max_head_bytes", "must be at least 8192");
        }
        if !(1..=1000).contains(&self.http2_max_streams) {
            return bad("server.http2_max_streams", "must be 1 to 1000");
        }
        // RFC 9113 section 6.9.1.
        if !(65_535..=i32::MAX as u32).contains(&self.http2_window_bytes) {
            return bad("server.http2_window_bytes", "must be 65535 to 2147483647");
        }
        if self.min_body_rate_bytes == 0 {
            return bad("server.min_body_rate_bytes", "must be more than 0");
        }
        if self.http2_ping_ms == 0 {
            return bad("server.http2_ping_ms", "must be more than 0");
        }
        if self.max_requests < 2 || self.max_pages == 0 || self.max_searches == 0 {
            return bad("server.max_requests", "must leave room for requests, pages and searches");
        }
        Ok(())
    }

    /// Whether `listen` speaks TLS.
    #[must_use]
    pub fn uses_tls(&self) -> bool {
        !self.tls_certificate.as_os_str().is_empty() || !self.acme_domains.is_empty()
    }

    /// Whether people come by https: cookies may then be marked `Secure`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.uses_tls() || self.public_url.starts_with("https://")
    }

    /// Where plain HTTP is redirected to https.
    #[must_use]
    pub fn redirect_address(&self) -> Option<SocketAddr> {
        self.redirect_listen.parse().ok()
    }
}

impl Speech {
    fn check(&self) -> Result<(), Error> {
        let program = self.command.first().map(Path::new);
        if self.engine == SpeechEngine::Command && program.is_none_or(|path| !path.is_absolute()) {
            return bad("speech.command", "must begin with the whole path of a program");
        }
        if self.engine == SpeechEngine::Whisper && self.model.as_os_str().is_empty() {
            return bad("speech.model", "must name the model's file");
        }
        let paths = self.readable.iter().chain([&self.model]);
        if paths.into_iter().any(|path| !path.as_os_str().is_empty() && !path.is_absolute()) {
            return bad("speech", "model and readable must be whole paths");
        }
        let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if self.language.is_empty() || self.language.len() > 35 || !self.language.chars().all(tag) {
            return bad("speech.language", "must be a language such as zh, or auto");
        }
        if self.prompt.contains('\0') {
            return bad("speech.prompt", "must be plain text");
        }
        if !(30..=3600).contains(&self.piece_seconds) {
            return bad("speech.piece_seconds", "must be 30 to 3600");
        }
        if self.max_minutes_per_hour == 0 {
            return bad("speech.max_minutes_per_hour", "must be more than 0");
        }
        Ok(())
    }

    /// Seconds that computing may take for a piece of `piece_ms`, the start of the engine included.
    #[must_use]
    pub fn seconds_for(&self, piece_ms: i64) -> u64 {
        let piece_ms = u64::try_from(piece_ms).unwrap_or_default();
        SPEECH_START_SECONDS + (piece_ms * u64::from(self.max_minutes_per_hour)).div_ceil(60_000)
    }

    /// Threads that the engine computes with.
    #[must_use]
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(1, usize::from).min(4),
            threads => threads,
        }
    }
}

impl Tables {
    /// What is taken of a table of resources.
    #[must_use]
    pub fn limits(&self) -> crate::table::Limits {
        let Self { max_bytes, max_rows, max_cells, .. } = *self;
        crate::table::Limits { max_bytes, max_rows, max_cells }
    }
}

/// What starting an engine and reading its model may take, seconds of computing.
const SPEECH_START_SECONDS: u64 = 60;

impl Exchange {
    fn check(&self) -> Result<(), Error> {
        if !self.oai_namespace.is_empty() && !is_domain(&self.oai_namespace) {
            return bad("exchange.oai_namespace", "must be a domain such as learn.example.cn");
        }
        let email = self.admin_email.split_once('@');
        let is_email = |(name, host): (&str, &str)| {
            !name.is_empty() && !name.contains(char::is_whitespace) && is_domain(host)
        };
        if !self.admin_email.is_empty() && !email.is_some_and(is_email) {
            return bad("exchange.admin_email", "must be an address such as admin@example.cn");
        }
        if !(1..=1000).contains(&self.records_per_answer) {
            return bad("exchange.records_per_answer", "must be 1 to 1000");
        }
        Ok(())
    }
}

/// Whether `text` is a domain as oai-identifier 2.0 wants it: two labels or more, each beginning
/// with a letter.
#[must_use]
pub fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        label.starts_with(|c: char| c.is_ascii_alphabetic())
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    text.len() <= 200 && text.contains('.') && text.split('.').all(label)
}

impl Ocr {
    fn check(&self) -> Result<(), Error> {
        // They become one argument of a program, with plus signs between.
        let name = |name: &String| {
            (1..=40).contains(&name.len())
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        if !(1..=8).contains(&self.languages.len()) || !self.languages.iter().all(name) {
            return bad("ocr.languages", "must be 1 to 8 names such as chi_sim and eng");
        }
        if !(70..=600).contains(&self.dpi) {
            return bad("ocr.dpi", "must be 70 to 600");
        }
        if !(1000..=600_000).contains(&self.page_ms) {
            return bad("ocr.page_ms", "must be 1000 to 600000");
        }
        Ok(())
    }
}

impl Config {
    /// The defaults, with `file` and the variables of `environment` over them.
    ///
    /// # Errors
    ///
    /// [`Error`] for the first setting that cannot be used.
    pub fn load(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, Error> {
        let mut table: Table = DEFAULTS.parse().expect("the defaults are TOML");
        if let Some(path) = file {
            let text = std::fs::read_to_string(path)
                .map_err(|source| Error::File { path: path.to_owned(), source })?;
            let bad = |problem: String| Error::Bad { origin: path.display().to_string(), problem };
            let own: Table =
                text.parse().map_err(|error: toml::de::Error| bad(one_line(&error)))?;
            merge(&mut table, own).map_err(bad)?;
        }
        let mut secrets = Vec::new();
        for (name, value) in environment.filter(|(name, _)| name.starts_with("DUOKU_")) {
            if name.starts_with(SECRET_VARIABLE) {
                secrets.push((name, value));
                continue;
            }
            if OTHER.contains(&name.as_str()) || name.starts_with("DUOKU_TEST_") {
                continue;
            }
            set(&mut table, &name, &value)
                .map_err(|problem| Error::Bad { origin: name, problem })?;
        }
        let mut config: Self = Value::Table(table)
            .try_into()
            .map_err(|error| Error::Bad { origin: "settings".into(), problem: named(&error) })?;
        config.identity.take_secrets(secrets).map_err(|origin| Error::Bad {
            origin,
            problem: "there is no provider of this name".into(),
        })?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Error> {
        self.server.check()?;
        self.speech.check()?;
        self.exchange.check()?;
        let identity = self.identity.check(&self.server.public_url);
        identity.map_err(|(origin, problem)| Error::Bad { origin, problem })?;
        if self.harvest.timeout_ms == 0 || self.harvest.max_answer_bytes == 0 {
            return bad("harvest.timeout_ms", "and harvest.max_answer_bytes must be more than 0");
        }
        if self.harvest.copy_timeout_ms < self.harvest.timeout_ms {
            return bad("harvest.copy_timeout_ms", "must not be less than harvest.timeout_ms");
        }
        if jiff::tz::TimeZone::get(&self.site.zone).is_err() {
            return bad("site.zone", &format!("{:?} is not a time zone", self.site.zone));
        }
        if self.upload.max_bytes <= 0 {
            return bad("upload.max_bytes", "must be more than 0");
        }
        if !(1..=360).contains(&self.session.ticket_minutes) {
            return bad("session.ticket_minutes", "must be 1 to 360");
        }
        let domain = &self.session.domain;
        if !domain.is_empty() && domain.parse::<Host>().is_err() {
            return bad("session.domain", &format!("{domain:?} is not a host name"));
        }
        if self.work.light_workers == 0 {
            return bad("work.light_workers", "must be at least 1");
        }
        if self.work.max_library_jobs < 0 {
            return bad("work.max_library_jobs", "must not be less than 0");
        }
        if !(0..=19).contains(&self.work.nice) {
            return bad("work.nice", "must be 0 to 19");
        }
        if self.work.lease_ms < 3000 {
            return bad("work.lease_ms", "must be at least 3000");
        }
        if self.work.poll_ms == 0 {
            return bad("work.poll_ms", "must be more than 0");
        }
        if self.work.max_attempts <= 0 {
            return bad("work.max_attempts", "must be more than 0");
        }
        if !(1..=1440).contains(&self.twins.max_minutes) {
            return bad("twins.max_minutes", "must be 1 to 1440, a day");
        }
        if !(0.05..=1.0).contains(&self.twins.least_share) {
            return bad("twins.least_share", "must be 0.05 to 1");
        }
        if self.twins.backlog < 0 {
            return bad("twins.backlog", "must not be less than 0");
        }
        if !(1..=86_400_000).contains(&self.media.max_duration_ms) {
            return bad("media.max_duration_ms", "must be 1 to 86400000, a day");
        }
        if !(0.0..=51.0).contains(&self.media.crf) {
            return bad("media.crf", "must be 0 to 51");
        }
        if !(0..=36_500).contains(&self.media.drop_after_days) {
            return bad("media.drop_after_days", "must be 0 to 36500");
        }
        if !(1..=8760).contains(&self.tables.keep_hours) {
            return bad("tables.keep_hours", "must be 1 to 8760, a year");
        }
        self.ocr.check()?;
        if self.deliver.heads_at_once == 0 {
            return bad("deliver.heads_at_once", "must be at least 1");
        }
        if !(65_536..=1 << 30).contains(&self.storage.s3_block_bytes) {
            return bad("storage.s3_block_bytes", "must be 65536 to 1073741824");
        }
        if self.storage.s3_max_fetches == 0 || self.storage.s3_timeout_ms == 0 {
            return bad("storage", "s3_max_fetches and s3_timeout_ms must be more than 0");
        }
        match self.store() {
            Place::Bucket { bucket, .. } if bucket.is_empty() => {
                return bad("storage.store", "names no bucket: s3://BUCKET or s3://BUCKET/PREFIX");
            }
            Place::Folder(_) if self.storage.s3_direct != S3Direct::Off => {
                return bad("storage.s3_direct", "needs a bucket: set storage.store");
            }
            Place::Folder(_) if self.upload.in_bucket => {
                return bad("upload.in_bucket", "needs a bucket: set storage.store");
            }
            _ => {}
        }
        if !(5..=10_080).contains(&self.storage.s3_direct_minutes) {
            return bad("storage.s3_direct_minutes", "must be 5 to 10080, a week");
        }
        if self.storage.s3_direct != S3Direct::Off && self.direct_origins().is_empty() {
            return bad("storage.s3_direct_url", "must be an address: https://HOST");
        }
        let dictionary = &self.search.dictionary;
        if !dictionary.as_os_str().is_empty()
            && let Err(error) = std::fs::read_to_string(dictionary)
        {
            return bad("search.dictionary", &format!("{}: {error}", dictionary.display()));
        }
        Ok(())
    }

    /// How many heavy jobs run side by side in this process.
    #[must_use]
    pub fn heavy_workers(&self) -> usize {
        match self.work.workers {
            0 => std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1)),
            workers => workers,
        }
    }

    /// URL of the database.
    #[must_use]
    pub fn database_url(&self) -> String {
        if self.storage.database.is_empty() {
            crate::db::sqlite_file(&self.storage.data.join("duoku.db"))
        } else {
            self.storage.database.clone()
        }
    }

    /// Origins that clients fetch objects from besides this server (RFC 6454 section 6).
    #[must_use]
    pub fn direct_origins(&self) -> Vec<String> {
        let storage = &self.storage;
        let url: Option<http::Uri> = storage.s3_direct_url.parse().ok();
        let parts = url.as_ref().and_then(|url| Some((url.scheme_str()?, url.authority()?)));
        match (storage.s3_direct, parts, self.store()) {
            (S3Direct::Off, ..) | (_, None, _) => Vec::new(),
            (S3Direct::Signed, Some((scheme, host)), Place::Bucket { bucket, .. })
                if !storage.s3_path_style =>
            {
                vec![format!("{scheme}://{bucket}.{host}")]
            }
            (_, Some((scheme, host)), _) => vec![format!("{scheme}://{host}")],
        }
    }

    /// Where the objects are.
    #[must_use]
    pub fn store(&self) -> Place {
        place(&self.storage.store).unwrap_or_else(|| Place::Folder(self.storage.data.join("store")))
    }
}

/// Where objects are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A folder.
    Folder(PathBuf),
    /// A bucket of an S3 server.
    Bucket {
        /// Its name.
        bucket: String,
        /// What every key begins with; empty, or with `/` at its end.
        prefix: String,
    },
}

/// Reads a folder, or `s3://BUCKET/PREFIX`; `None` for nothing.
#[must_use]
pub fn place(text: &str) -> Option<Place> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    let Some(rest) = text.strip_prefix("s3://") else { return Some(Place::Folder(text.into())) };
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_matches('/');
    let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
    Some(Place::Bucket { bucket: bucket.to_owned(), prefix })
}

fn merge(base: &mut Table, own: Table) -> Result<(), String> {
    for (section, values) in own {
        let Some(Value::Table(known)) = base.get_mut(&section) else {
            return Err(format!("there is no section [{section}]"));
        };
        let Value::Table(values) = values else {
            return Err(format!("{section} must be a section, [{section}]"));
        };
        for (name, value) in values {
            if known.insert(name.clone(), value).is_none() {
                return Err(format!("there is no setting {name} in [{section}]"));
            }
        }
    }
    Ok(())
}

fn set(table: &mut Table, variable: &str, text: &str) -> Result<(), String> {
    let place = SHORT.iter().find(|(short, ..)| *short == variable).map_or_else(
        || find(table, variable),
        |(_, section, name)| Some(((*section).to_owned(), (*name).to_owned())),
    );
    let Some((section, name)) = place else { return Err("there is no such setting".into()) };
    let known = &mut table[&section][&name];
    *known = match known {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Array(_) => Value::Array(
            text.split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty())
                .map(|item| Value::String(item.to_owned()))
                .collect(),
        ),
        Value::Integer(_) => Value::Integer(
            text.trim().parse().map_err(|_| format!("{text:?} is not a whole number"))?,
        ),
        Value::Float(_) => {
            Value::Float(text.trim().parse().map_err(|_| format!("{text:?} is not a number"))?)
        }
        Value::Boolean(_) => Value::Boolean(
            text.trim().parse().map_err(|_| format!("{text:?} is neither true nor false"))?,
        ),
        _ => return Err("cannot be given as a variable".into()),
    };
    Ok(())
}

fn find(table: &Table, variable: &str) -> Option<(String, String)> {
    let wanted = variable.strip_prefix("DUOKU_")?.to_lowercase();
    table.iter().find_map(|(section, values)| {
        let name = wanted.strip_prefix(section.as_str())?.strip_prefix('_')?;
        values.get(name).map(|_| (section.clone(), name.to_owned()))
    })
}

/// The message with the name of the setting, which only the whole text tells.
fn named(error: &toml::de::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn one_line(error: &toml::de::Error) -> String {
    error.message().lines().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Config, Error> {
        Config::load(None, variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
    }

    #[test]
    fn the_defaults_can_be_used() {
        let config = load(&[]).expect("usable");
        assert_eq!(config.server.listen.port(), 8080);
        assert_eq!(config.database_url(), "sqlite:data/duoku.db");
    }

    #[test]
    fn variables_come_over_the_defaults() {
        let config =
            load(&[("DUOKU_LISTEN", "0.0.0.0:80"), ("DUOKU_UPLOAD_MAX_BYTES", "5"), ("PATH", "x")])
                .expect("usable");
        assert_eq!((config.server.listen.port(), config.upload.max_bytes), (80, 5));
    }

    #[test]
    fn stores_are_folders_or_buckets() {
        let bucket = |bucket: &str, prefix: &str| {
            Some(Place::Bucket { bucket: bucket.into(), prefix: prefix.into() })
        };
        assert_eq!(place(" "), None);
        assert_eq!(place("/srv/objects"), Some(Place::Folder("/srv/objects".into())));
        assert_eq!(place("s3://media"), bucket("media", ""));
        assert_eq!(place("s3://media/city/a/"), bucket("media", "city/a/"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (name, value, said) in [
            ("DUOKU_LISTEN", "8080", "settings: "),
            (
                "DUOKU_UPLOAD_MAX_BYTES",
                "much",
                "DUOKU_UPLOAD_MAX_BYTES: \"much\" is not a whole number",
            ),
            ("DUOKU_NONSENSE", "1", "DUOKU_NONSENSE: there is no such setting"),
            ("DUOKU_SESSION_TICKET_MINUTES", "999", "session.ticket_minutes: must be 1 to 360"),
            ("DUOKU_LOG_FORMAT", "xml", "settings: "),
            ("DUOKU_SPEECH_ENGINE", "whisper", "speech.model: must name"),
            ("DUOKU_SPEECH_ENGINE", "command", "speech.command: must begin"),
            ("DUOKU_STORE", "s3:///prefix", "storage.store: names no bucket"),
        ] {
            let error = load(&[(name, value)]).expect_err("wrong").to_string();
            assert!(error.starts_with(said) && !error.contains('\n'), "{error}");
        }
    }
}
