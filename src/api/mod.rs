//! The axum edge: routes, one file per noun, and the layers around them.

mod attempts;
mod audit;
mod caller;
mod captions;
mod chain;
mod collections;
mod complaints;
mod courses;
mod dictionary;
mod dossier;
mod duplicates;
mod exchange;
mod explain;
mod forms;
mod grants;
mod jobs;
mod libraries;
mod links;
mod me;
mod media;
mod meter;
mod narrow;
mod openapi;
mod ops;
mod organisations;
mod pages;
mod people;
mod problem;
mod reader;
mod resources;
mod review;
mod search;
mod sentences;
mod session;
mod shown;
mod sources;
mod unindexed;
mod uploads;

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::header::{CACHE_CONTROL, REFERRER_POLICY, VARY};
use http::{HeaderName, HeaderValue, Method};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use caller::{fresh_token, token_hash};
pub(crate) use courses::{gather_cartridge, write_cartridge};
pub(crate) use duplicates::csv_of_all;
pub(crate) use jobs::{JobView, STATES as JOB_STATES};
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
    let (api, document) = api_routes(app).split_for_parts();
    let compressed = api
        .merge(page_routes(app))
        .merge(utoipa_swagger_ui::SwaggerUi::new("/api/docs").url("/api/openapi.json", document))
        .layer(json_limit)
        // A cartridge is an archive.
        .layer(CompressionLayer::new().compress_when(
            DefaultPredicate::new().and(NotForContentType::const_new(crate::cartridge::MEDIA_TYPE)),
        ));
    let routes = compressed.merge(media_routes());
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

fn api_routes(app: &App) -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::Document::openapi())
        .routes(routes!(search::search))
        .routes(routes!(search::suggest))
        .routes(routes!(dictionary::get, dictionary::put))
        .routes(routes!(explain::explain))
        .routes(routes!(duplicates::list))
        .routes(routes!(duplicates::csv))
        .routes(routes!(duplicates::put, duplicates::delete))
        .routes(routes!(unindexed::list))
        .routes(routes!(resources::list, resources::create))
        .routes(routes!(resources::get, resources::patch, resources::delete))
        .routes(routes!(resources::publish))
        .routes(routes!(resources::withdraw))
        .routes(routes!(resources::cancel))
        .routes(routes!(resources::retry))
        .routes(routes!(resources::events))
        .routes(routes!(review::get, review::hand_in, review::take_back))
        .routes(routes!(review::decide))
        .routes(routes!(review::comment))
        .routes(routes!(review::resolve))
        .routes(routes!(review::queue))
        .routes(routes!(complaints::list, complaints::complain))
        .routes(routes!(complaints::get))
        .routes(routes!(complaints::answer))
        .routes(routes!(complaints::appeal))
        .routes(routes!(complaints::appeals))
        .routes(routes!(complaints::answer_appeal))
        .routes(routes!(captions::get, captions::put, captions::delete))
        .routes(routes!(captions::recognise))
        .routes(routes!(exchange::oembed::oembed))
        .routes(routes!(sources::list, sources::create))
        .routes(routes!(sources::delete))
        .routes(routes!(sources::run))
        .routes(routes!(courses::list, courses::create))
        .routes(routes!(courses::get, courses::patch, courses::delete))
        .routes(routes!(courses::publish))
        .routes(routes!(courses::withdraw))
        .routes(routes!(courses::get_lessons, courses::put_lessons))
        .routes(routes!(courses::put_listing, courses::delete_listing))
        .routes(routes!(courses::get_cartridge))
        .routes(routes!(collections::list, collections::create))
        .routes(routes!(collections::get, collections::patch, collections::delete))
        .routes(routes!(jobs::list))
        .routes(routes!(libraries::list, libraries::create))
        .routes(routes!(libraries::get, libraries::patch))
        .routes(routes!(libraries::traffic))
        .routes(routes!(chain::chain, chain::set_chain))
        .routes(routes!(chain::delegate))
        .routes(routes!(chain::end_delegation))
        .routes(routes!(organisations::list, organisations::create))
        .routes(routes!(organisations::import))
        .routes(routes!(organisations::get, organisations::patch))
        .routes(routes!(organisations::merge))
        .routes(routes!(organisations::close))
        .routes(routes!(organisations::numbers))
        .routes(routes!(people::list, people::create))
        .routes(routes!(people::export))
        .routes(routes!(people::import))
        .routes(routes!(people::get, people::patch))
        .routes(routes!(people::reset))
        .routes(routes!(grants::list, grants::create))
        .routes(routes!(grants::delete))
        .routes(routes!(grants::teams, grants::make_team))
        .routes(routes!(grants::team, grants::rename_team, grants::end_team))
        .routes(routes!(grants::join_team, grants::leave_team))
        .routes(routes!(grants::invitations, grants::invite))
        .routes(routes!(grants::uninvite))
        .routes(routes!(audit::list))
        .routes(routes!(audit::export))
        .routes(routes!(audit::verify))
        .routes(routes!(session::get, session::create, session::delete))
        .routes(routes!(me::get, me::patch))
        .routes(routes!(me::password))
        .routes(routes!(me::sessions))
        .routes(routes!(me::end_session))
        .routes(routes!(me::tokens, me::make_token))
        .routes(routes!(me::revoke_token))
        .routes(routes!(uploads::create))
        .routes(routes!(uploads::head, uploads::patch, uploads::delete, uploads::get))
        .routes(routes!(ops::healthz))
        .routes(routes!(ops::readyz))
        .routes(routes!(ops::metrics))
        .routes(routes!(ops::renditions))
        .layer(middleware::map_response(personal))
        .layer(cors())
        // Outside of CORS, which answers every OPTIONS itself.
        .layer(middleware::from_fn_with_state(app.clone(), uploads::protocol))
}

fn page_routes(app: &App) -> Router<App> {
    let captions_limit = DefaultBodyLimit::max(app.config.upload.max_caption_bytes + 64 * 1024);
    Router::new()
        .route(
            "/studio/resources/{id}/captions",
            post(pages::captions_form).get(pages::new_captions),
        )
        .layer(captions_limit)
        .route("/", get(pages::home))
        .route("/search", get(pages::search))
        .route("/libraries", get(pages::libraries))
        .route("/libraries/{slug}", get(pages::library))
        .route("/regions", get(pages::regions))
        .route("/regions/{code}", get(pages::region))
        .route("/resources/{id}", get(pages::resource))
        .route("/embed/{id}", get(pages::embed))
        .route("/feed", get(exchange::feed))
        .route("/feed/{form}", get(exchange::feed_in))
        .route("/sitemap.xml", get(exchange::sitemap_index))
        .route("/sitemaps/{name}", get(exchange::sitemap_list))
        .route("/robots.txt", get(exchange::robots))
        .route("/oai", get(exchange::oai_get).post(exchange::oai_post))
        .route("/admin/sources", get(pages::sources_page).post(pages::sources_form))
        .route("/courses/{id}", get(pages::course))
        .route("/courses/{id}/lessons/{number}", get(pages::lesson))
        .route("/courses/{id}/listings", post(pages::listing_form))
        .route("/collections/{id}", get(pages::collection))
        .route("/studio/courses", get(pages::courses_page).post(pages::new_course))
        .route("/studio/courses/{id}", get(pages::course_edit_page).post(pages::course_form))
        .route("/studio/collections", post(pages::new_collection))
        .route(
            "/studio/collections/{id}",
            get(pages::collection_edit_page).post(pages::collection_form),
        )
        .route("/resources/{id}/complaint", post(pages::complain))
        .route("/complaints/{number}", get(pages::case_page))
        .route("/review", get(pages::queue_page))
        .route("/review/complaints", get(pages::complaints_page).post(pages::complaints_form))
        .route("/review/appeals", get(pages::appeals_page).post(pages::appeals_form))
        .route("/review/libraries/{slug}", get(pages::chain_page).post(pages::save_chain))
        .route("/review/{id}", get(pages::review_page).post(pages::review_form))
        .route("/login", get(pages::login_form).post(pages::log_in))
        .route("/setup/{token}", get(pages::setup_form).post(pages::set_up))
        .route("/logout", post(pages::log_out))
        .route("/start", get(pages::start_page).post(pages::start_form))
        .route("/start/{code}", get(pages::choose_page).post(pages::choose_form))
        .route("/join/{code}", get(pages::join_page).post(pages::join_form))
        .route("/me", get(pages::me_page).post(pages::me_form))
        .route("/admin", get(pages::admin_page))
        .route(
            "/admin/organisations",
            get(pages::organisations_page).post(pages::organisations_form),
        )
        .route("/admin/organisations/import", post(pages::import_organisations))
        .route(
            "/admin/organisations/{id}",
            get(pages::organisation_page).post(pages::organisation_form),
        )
        .route("/admin/people", get(pages::people_page).post(pages::people_form))
        .route("/admin/people/import", post(pages::import_people))
        .route("/admin/people/{id}", get(pages::person_page).post(pages::person_form))
        .route("/admin/teams", get(pages::teams_page).post(pages::teams_form))
        .route("/admin/teams/{id}", get(pages::team_page).post(pages::team_form))
        .route("/admin/invitations", get(pages::invitations_page).post(pages::invitations_form))
        .route("/admin/libraries", get(pages::libraries_page).post(pages::libraries_form))
        .route("/admin/libraries/{slug}", get(pages::library_page).post(pages::library_form))
        .route("/admin/audit", get(pages::audit_page))
        .route("/admin/jobs", get(pages::jobs_page).post(pages::jobs_form))
        .route("/admin/search", get(pages::dictionary_page).post(pages::dictionary_form))
        .route("/admin/search/why", get(pages::why))
        .route("/admin/duplicates", get(pages::duplicates_page).post(pages::duplicates_form))
        .route("/studio", get(pages::list))
        .route("/studio/libraries/{slug}", get(pages::look_page).post(pages::look_form))
        .route("/studio/resources/{id}", get(pages::resource_page).post(pages::edit_form))
        .route("/studio/resources/{id}/captions/{name}", get(pages::captions_page))
        .route("/assets/{*path}", get(pages::asset))
        .route("/favicon.svg", get(pages::web_file))
}

fn media_routes() -> Router<App> {
    let secret = SetResponseHeaderLayer::overriding(
        REFERRER_POLICY,
        // Whatever the answer is, its address holds a ticket.
        HeaderValue::from_static("no-referrer"),
    );
    Router::new()
        .route("/t/{ticket}/media/{id}/{*path}", get(media::get_with_ticket))
        .layer(secret)
        .route("/media/{id}/{*path}", get(media::get))
        .layer(cors())
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
