//! The provider of OAI-PMH: what is public, and what was.

use std::collections::HashMap;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use super::super::problem::ApiError;
use super::super::reader::Reader;
use crate::app::App;
use crate::catalogue::{Level, Library, LibraryId, Resource, TOPICS, Visibility, Vouched};
use crate::config::is_domain;
use crate::db;
use crate::db::records::{Range, Record};
use crate::exchange::oai::{
    Answer, Arguments, Asked, Format, Header, Identity, OaiError, RecordSet, Selection, read,
};
use crate::exchange::{Item, dublin_core, lom};

/// Name of the setting with what identifiers begin with.
const NAMESPACE: &str = "oai_namespace";

/// What the sets of libraries by the level of their owners are called.
const LEVELS: [(Level, &str); 4] = [
    (Level::City, "市级 City"),
    (Level::District, "区县级 District or county"),
    (Level::Township, "乡镇街道级 Township or street"),
    (Level::Community, "村居级 Village or community"),
];

pub(in crate::api) async fn oai_get(
    State(app): State<App>,
    reader: Reader,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    answer(&app, &reader, query.unwrap_or_default().as_bytes()).await
}

pub(in crate::api) async fn oai_post(
    State(app): State<App>,
    reader: Reader,
    body: bytes::Bytes,
) -> Result<Response, ApiError> {
    answer(&app, &reader, &body).await
}

async fn answer(app: &App, reader: &Reader, query: &[u8]) -> Result<Response, ApiError> {
    let arguments: Arguments = url::form_urlencoded::parse(query).into_owned().collect();
    let site = Site { origin: reader.site(app), namespace: namespace(app, reader).await? };
    let base_url = format!("{}/oai", site.origin);
    let made = match read(&arguments) {
        Ok(asked) => {
            let begun = Answer::begin(app.now_ms(), &base_url, &arguments);
            fill(app, &site, &base_url, begun, &asked).await?
        }
        Err(error) => Err(error),
    };
    let text = made.unwrap_or_else(|error| {
        let unclear = ["badVerb", "badArgument"].contains(&error.code);
        let told = if unclear { &[][..] } else { &arguments };
        Answer::begin(app.now_ms(), &base_url, told).error(&error)
    });
    let headers = [(CONTENT_TYPE, "text/xml; charset=utf-8"), (CACHE_CONTROL, "no-cache")];
    Ok((headers, text).into_response())
}

/// Where we are and what our identifiers begin with.
struct Site {
    origin: String,
    namespace: String,
}

impl Site {
    fn identifier(&self, resource: &str) -> String {
        format!("oai:{}:{resource}", self.namespace)
    }

    /// The id of the resource that is named, if it can be one of ours.
    fn resource<'a>(&self, identifier: &'a str) -> Option<&'a str> {
        let id =
            identifier.strip_prefix("oai:")?.strip_prefix(&self.namespace)?.strip_prefix(':')?;
        (id.len() == 32).then_some(id)
    }
}

/// What identifiers begin with: the setting, else what was chosen when it was first needed.
async fn namespace(app: &App, reader: &Reader) -> Result<String, ApiError> {
    let set = &app.config.exchange.oai_namespace;
    if !set.is_empty() {
        return Ok(set.clone());
    }
    if let Some(kept) = db::settings::find(&mut *app.db.read().await?, NAMESPACE).await? {
        return Ok(kept);
    }
    let public_url = !app.config.server.public_url.is_empty();
    let site: Option<http::Uri> = reader.site(app).parse().ok().filter(|_| public_url);
    let host = site.as_ref().and_then(http::Uri::host).filter(|host| is_domain(host));
    // No other installation has the same.
    let made_up = || format!("d{}.duoku", &uuid::Uuid::new_v4().simple().to_string()[..12]);
    let fresh = host.map_or_else(made_up, str::to_ascii_lowercase);
    let mut tx = app.db.begin().await?;
    let kept = db::settings::get_or_set(&mut tx, NAMESPACE, &fresh).await?;
    tx.commit().await?;
    Ok(kept)
}

/// Fills an answer with what was asked for.
async fn fill(
    app: &App,
    site: &Site,
    base_url: &str,
    mut answer: Answer,
    asked: &Asked,
) -> Result<Result<String, OaiError>, ApiError> {
    match asked {
        Asked::Identify => {
            answer.answer("Identify");
            answer.identity(&identity(app, site).await?, base_url);
        }
        Asked::ListMetadataFormats(identifier) => {
            if let Some(identifier) = identifier
                && find(app, site, identifier).await?.is_none()
            {
                return Ok(Err(OaiError::no_identifier(identifier)));
            }
            answer.answer("ListMetadataFormats");
            answer.formats();
        }
        Asked::ListSets => {
            answer.answer("ListSets");
            for set in sets(app).await? {
                answer.set(&set);
            }
        }
        Asked::GetRecord(identifier, format) => {
            let Some(record) = find(app, site, identifier).await? else {
                return Ok(Err(OaiError::no_identifier(identifier)));
            };
            answer.answer("GetRecord");
            for told in tell(app, site, vec![record], Some(*format)).await? {
                answer.record(&told.header, told.metadata.as_deref());
            }
        }
        Asked::ListIdentifiers(selection) => {
            return list(app, site, answer, "ListIdentifiers", selection).await;
        }
        Asked::ListRecords(selection) => {
            return list(app, site, answer, "ListRecords", selection).await;
        }
    }
    Ok(Ok(answer.end()))
}

async fn identity(app: &App, site: &Site) -> Result<Identity, ApiError> {
    let span = db::records::span(&mut *app.db.read().await?).await?;
    let email = &app.config.exchange.admin_email;
    Ok(Identity {
        name: app.config.site.name.clone(),
        namespace: site.namespace.clone(),
        admin_email: if email.is_empty() {
            format!("admin@{}", site.namespace)
        } else {
            email.clone()
        },
        earliest_ms: span.map_or_else(|| app.now_ms(), |(first_ms, _)| first_ms),
        sample: site.identifier("0199d4a6f1c07a3e8b5d2c9e4f607182"),
    })
}

/// Libraries that everybody may see, levels of who owns them, topics.
async fn sets(app: &App) -> Result<Vec<RecordSet>, ApiError> {
    let libraries = db::libraries::list(&mut *app.db.read().await?).await?;
    let libraries = libraries.into_iter().filter(|l| l.visibility == Visibility::Public);
    let libraries = libraries
        .map(|library| RecordSet { spec: format!("library.{}", library.slug), name: library.name });
    let levels = LEVELS.iter().map(|(level, name)| RecordSet {
        spec: format!("level.{level}"),
        name: (*name).to_owned(),
    });
    let topics = TOPICS.iter().map(|topic| RecordSet {
        spec: format!("topic.{}", topic.code),
        name: format!("{} {}", topic.zh, topic.en),
    });
    Ok(libraries.chain(levels).chain(topics).collect())
}

/// The record that is named.
async fn find(app: &App, site: &Site, identifier: &str) -> Result<Option<Record>, ApiError> {
    let Some(id) = site.resource(identifier) else { return Ok(None) };
    Ok(db::records::find(&mut *app.db.read().await?, id).await?)
}

/// `ListIdentifiers` and `ListRecords`
async fn list(
    app: &App,
    site: &Site,
    mut answer: Answer,
    verb: &str,
    selection: &Selection,
) -> Result<Result<String, OaiError>, ApiError> {
    let limit = app.config.exchange.records_per_answer;
    let range = Range {
        set: selection.set.clone(),
        from_ms: selection.from_ms,
        before_ms: selection.before_ms,
        after: selection.after.clone(),
    };
    let mut db = app.db.read().await?;
    // One more, to know whether there is more.
    let mut records = db::records::list(&mut db, &range, limit + 1).await?;
    if records.is_empty() {
        return Ok(Err(OaiError::no_records()));
    }
    let more = records.len() as i64 > limit;
    records.truncate(limit as usize);
    let size = match selection.size {
        None if more => u64::try_from(db::records::count(&mut db, &range).await?).ok(),
        size => size,
    };
    drop(db);
    let next = records.last().filter(|_| more).map(|last| Selection {
        after: Some((last.stamp_ms, last.resource.clone())),
        given: selection.given.saturating_add(records.len() as u64),
        size,
        ..selection.clone()
    });
    let with_metadata = verb == "ListRecords";
    answer.answer(verb);
    for told in tell(app, site, records, with_metadata.then_some(selection.format)).await? {
        if with_metadata {
            answer.record(&told.header, told.metadata.as_deref());
        } else {
            answer.header(&told.header);
        }
    }
    answer.resumption(selection, next.as_ref());
    Ok(Ok(answer.end()))
}

/// A record as it is told.
struct Told {
    header: Header,
    /// Nothing when it is deleted, or not asked for.
    metadata: Option<String>,
}

/// What others are told of `records`: as deleted, too, what stopped to be public just now.
async fn tell(
    app: &App,
    site: &Site,
    records: Vec<Record>,
    format: Option<Format>,
) -> Result<Vec<Told>, ApiError> {
    let ids: Vec<String> = records.iter().map(|record| record.resource.clone()).collect();
    let mut db = app.db.read().await?;
    let mut sets: HashMap<String, Vec<String>> = HashMap::new();
    for (resource, spec) in db::records::sets(&mut db, &ids).await? {
        sets.entry(resource).or_default().push(spec);
    }
    let public: HashMap<String, Resource> = db::resources::list_public(&mut db, &ids)
        .await?
        .into_iter()
        .map(|resource| (resource.id.to_string(), resource))
        .collect();
    let mut vouched: HashMap<String, Vec<Vouched>> = HashMap::new();
    let marked = public.values().filter(|resource| resource.details.particulars.local.is_some());
    let marked: Vec<String> = marked.map(|resource| resource.id.to_string()).collect();
    for (resource, one) in db::vouchers::standing(&mut db, &marked).await? {
        vouched.entry(resource).or_default().push(one);
    }
    let libraries: HashMap<LibraryId, Library> = db::libraries::list(&mut db)
        .await?
        .into_iter()
        .map(|library| (library.id, library))
        .collect();
    drop(db);
    let told = records.into_iter().map(|record| {
        let resource = public.get(&record.resource).filter(|_| record.public == 1);
        let item = resource.and_then(|resource| {
            let library = libraries.get(&resource.library)?;
            let vouched = vouched.get(&record.resource).map_or(&[][..], Vec::as_slice);
            Some(Item { resource, library, vouched, origin: &site.origin })
        });
        let identifier = site.identifier(&record.resource);
        let metadata = item.as_ref().zip(format).map(|(item, format)| match format {
            Format::DublinCore => dublin_core(item),
            Format::Lom => lom(item, &identifier),
        });
        let header = Header {
            identifier,
            stamp_ms: record.stamp_ms,
            deleted: item.is_none(),
            sets: sets.remove(&record.resource).unwrap_or_default(),
        };
        Told { header, metadata }
    });
    Ok(told.collect())
}
