//! The axum edge: routes, one file per noun, and the layers around them.

mod attempts;
mod audit;
mod batches;
mod caller;
mod captions;
mod chain;
mod collections;
mod complaints;
mod copies;
mod courses;
mod dictionary;
mod dossier;
mod duplicates;
mod exchange;
mod explain;
mod forms;
mod grants;
mod held_tokens;
mod identity;
mod jobs;
mod libraries;
mod links;
mod listed;
mod me;
mod media;
mod meter;
mod narrow;
mod openapi;
mod ops;
mod organisations;
mod pages;
mod particulars;
mod people;
mod policy;
mod problem;
mod reader;
mod resources;
mod review;
mod routes;
mod search;
mod sentences;
mod session;
mod shown;
mod sources;
mod tables;
mod unindexed;
mod uploads;
mod vocabularies;
mod vouchers;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use http::header::{CACHE_CONTROL, VARY};
use http::{HeaderName, HeaderValue, Method};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::trace::TraceLayer;

pub(crate) use batches::{REPORT_HEAD, report_lines};
pub(crate) use caller::{fresh_token, token_hash};
pub(crate) use courses::{gather_cartridge, write_cartridge};
pub(crate) use duplicates::csv_of_all;
pub(crate) use jobs::{JobView, STATES as JOB_STATES};
pub use policy::Route;
pub(crate) use problem::chain;
pub use sentences::sentence;
pub(crate) use session::{SETUP, hash_password};
pub(crate) use sources::{NewSource, add as add_source};

use crate::app::App;
use crate::server::Front;

/// What a player or an uploader on another site may read of our answers.
const EXPOSED: &[&str] = &[
    "accept-ranges",
    "content-length",
    "content-range",
    "etag",
    "location",
    "tus-resumable",
    "tus-version",
    "tus-extension",
    "tus-max-size",
    "upload-offset",
    "upload-length",
    "upload-expires",
    "upload-metadata",
];

/// What a player on another site may read of the answers to it.
const EXPOSED_MEDIA: &str = "accept-ranges,content-length,content-range,etag";

/// Methods that are counted by their names.
const METHODS: &[Method] = &[
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// How often what was measured is put together; until then each value takes memory.
const UPKEEP: Duration = Duration::from_secs(5);

/// Counts from now on; what is counted before is lost.
pub fn start_metrics() {
    recorder();
}

/// What answers before the router is asked.
pub fn front(app: &App) -> Arc<dyn Front> {
    Arc::new(media::QuickAnswers::new(app.clone()))
}

/// Every route with its policy, by path.
pub fn table_of_routes(app: &App) -> Vec<Route> {
    routes::routes(app).into_list()
}

/// All routes with their layers.
///
/// # Errors
///
/// When the files of `web/` were not built.
pub fn router(app: &App) -> anyhow::Result<Router> {
    pages::load_assets().map_err(|error| anyhow::anyhow!("web/dist: {error}"))?;
    recorder();
    let slow = Duration::from_millis(app.config.log.slow_ms);
    let json_limit = DefaultBodyLimit::max(app.config.server.max_json_bytes);
    let (data, pages, files) = routes::routes(app).into_routers();
    let (data, document) = data
        .layer(middleware::map_response(personal))
        .layer(cors())
        // Outside of CORS, which answers every OPTIONS itself.
        .layer(middleware::from_fn_with_state(app.clone(), uploads::protocol))
        .split_for_parts();
    let compressed = data
        .merge(pages)
        .merge(utoipa_swagger_ui::SwaggerUi::new("/api/docs").url("/api/openapi.json", document))
        .layer(json_limit)
        // Inside of what compresses.
        .layer(middleware::map_response(problem::tell_why))
        // A cartridge is an archive, and so is a spreadsheet.
        .layer(
            CompressionLayer::new().compress_when(
                DefaultPredicate::new()
                    .and(NotForContentType::const_new(crate::cartridge::MEDIA_TYPE))
                    .and(NotForContentType::const_new(tables::XLSX)),
            ),
        );
    let routes = compressed.merge(files.layer(cors()));
    Ok(routes
        .fallback(async || problem::ApiError::NotFound)
        .with_state(app.clone())
        // Inside of those that word and count, so that a panic is an error like others.
        .layer(CatchPanicLayer::new())
        .layer(middleware::from_fn(problem::refuse))
        .layer(middleware::from_fn_with_state(app.clone(), problem::finish))
        .layer(middleware::from_fn(measure))
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(span)
                .on_request(())
                .on_response(move |response: &Response, took: Duration, _: &tracing::Span| {
                    answered(response, took, slow);
                })
                .on_failure(()),
        )
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid)))
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(
            EXPOSED.iter().map(|name| HeaderName::from_static(name)).collect::<Vec<_>>(),
        )
}

/// Data depend on who asks and change at any time.
async fn personal(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.append(VARY, HeaderValue::from_static("Authorization, Cookie, Accept-Language"));
    response
}

/// Counts and times requests by route.
async fn measure(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let route = request
        .extensions()
        .get::<MatchedPath>()
        .map_or_else(|| "other".to_owned(), |path| path.as_str().to_owned());
    // Anybody may invent methods; each would be a series of its own.
    let known = METHODS.iter().find(|method| *method == request.method());
    let method = known.map_or("other", Method::as_str).to_owned();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("duoku_requests_total", "method" => method, "route" => route.clone(), "status" => status).increment(1);
    metrics::histogram!("duoku_request_seconds", "route" => route)
        .record(begun.elapsed().as_secs_f64());
    response
}

fn span(request: &Request) -> tracing::Span {
    let id = request.headers().get("x-request-id").and_then(|value| value.to_str().ok());
    let path = tracing_path(request.uri().path());
    tracing::info_span!("request", method = %request.method(), path = %path, id = id.unwrap_or(""))
}

/// One line for each request that the router answers; its span says which.
fn answered(response: &Response, took: Duration, slow: Duration) {
    let (status, ms) = (response.status().as_u16(), took.as_secs_f64() * 1000.0);
    if took >= slow {
        tracing::warn!(status, ms = format_args!("{ms:.1}"), "answered slowly");
    } else {
        tracing::info!(status, ms = format_args!("{ms:.1}"), "answered");
    }
}

/// A path as it may be logged: tickets, and links that let somebody in, are secrets.
pub(crate) fn tracing_path(path: &str) -> Cow<'_, str> {
    for first in ["/setup/", "/start/", "/join/"] {
        if path.starts_with(first) {
            return Cow::Owned(format!("{first}…"));
        }
    }
    match path.strip_prefix("/t/").and_then(|rest| rest.split_once('/')) {
        Some((_, rest)) => Cow::Owned(format!("/t/…/{rest}")),
        None => Cow::Borrowed(path),
    }
}

/// The process's metrics.
fn recorder() -> &'static PrometheusHandle {
    static RECORDER: LazyLock<PrometheusHandle> = LazyLock::new(|| {
        let recorder = PrometheusBuilder::new().install_recorder().expect("only this installs one");
        let handle = recorder.clone();
        let upkeep = move || {
            loop {
                std::thread::sleep(UPKEEP);
                handle.run_upkeep();
            }
        };
        std::thread::Builder::new().name("metrics".into()).spawn(upkeep).expect("a small thread");
        recorder
    });
    &RECORDER
}
