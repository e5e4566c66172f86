//! oEmbed 1.0: what another site needs to show a resource in a page of its own.

use axum::extract::{Query, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::super::links::links;
use super::super::problem::ApiError;
use super::super::reader::Reader;
use crate::app::App;
use crate::catalogue::{Kind, ResourceId};
use crate::deliver::Delivery;
use crate::exchange::Xml;
use crate::pages::embed_code;

/// How long others may keep what they were told, seconds. A withdrawal reaches their pages at
/// once, since the embedded page is ours.
const CACHE_S: u32 = 3600;

/// What is to be embedded.
#[derive(Debug, Deserialize, IntoParams)]
pub(in crate::api) struct OembedQuery {
    /// Address of a resource's page, or of its embeddable page; `?t=` is kept.
    url: String,
    /// json or xml; json when left out.
    #[serde(default)]
    format: String,
    /// Pixels.
    maxwidth: Option<u32>,
    /// Pixels.
    maxheight: Option<u32>,
}

/// How a resource is embedded.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(in crate::api) struct OembedView {
    /// video, photo or rich
    r#type: &'static str,
    /// 1.0
    version: &'static str,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    author_name: Option<String>,
    provider_name: String,
    provider_url: String,
    cache_age: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail_height: Option<u32>,
    /// Of a photo.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Of all others.
    #[serde(skip_serializing_if = "Option::is_none")]
    html: Option<String>,
    width: u32,
    height: u32,
}

/// How a public resource is embedded in a page of another site (oEmbed 1.0).
#[utoipa::path(get, path = "/api/oembed", tag = "exchange", params(OembedQuery), responses((status = 200, body = OembedView), (status = 404), (status = 501)))]
pub(in crate::api) async fn oembed(
    State(app): State<App>,
    reader: Reader,
    Query(query): Query<OembedQuery>,
) -> Result<Response, ApiError> {
    let as_xml = match query.format.as_str() {
        "" | "json" => false,
        "xml" => true,
        other => {
            return Err(ApiError::coded(StatusCode::NOT_IMPLEMENTED, "oembed_format", other));
        }
    };
    let site = reader.site(&app);
    let (id, start) = named(&query.url, &site).ok_or(ApiError::NotFound)?;
    let delivery = app.deliveries.find(&app.db, id).await?;
    let delivery = delivery.filter(|delivery| delivery.is_public()).ok_or(ApiError::NotFound)?;
    let most = (query.maxwidth.unwrap_or(u32::MAX), query.maxheight.unwrap_or(u32::MAX));
    let view = view(&app, &site, &delivery, start, most);
    let (media_type, body) = if as_xml {
        ("text/xml; charset=utf-8", xml(&view))
    } else {
        ("application/json", serde_json::to_string(&view).expect("texts and numbers"))
    };
    Ok(([(CONTENT_TYPE, media_type)], body).into_response())
}

/// The resource that `url`, an address of this site, names, and the second it begins at.
fn named(url: &str, site: &str) -> Option<(ResourceId, Option<String>)> {
    let (url, site) = (url::Url::parse(url).ok()?, url::Url::parse(site).ok()?);
    // Whether by http or https: a proxy may stand in between.
    let of_site = url.host() == site.host() && url.port() == site.port();
    let mut path = url.path_segments()?;
    let (what, id) = (path.next()?, path.next()?);
    if !of_site || !matches!(what, "resources" | "embed") || path.next().is_some() {
        return None;
    }
    let start = url.query_pairs().find(|(name, _)| name == "t").map(|(_, value)| value);
    let start = start.filter(|t| t.parse::<f64>().is_ok_and(|t| t.is_finite() && t >= 0.0));
    Some((id.parse().ok()?, start.map(|t| t.into_owned())))
}

fn view(
    app: &App,
    site: &str,
    delivery: &Delivery,
    start: Option<String>,
    most: (u32, u32),
) -> OembedView {
    let resource = &delivery.resource;
    let links = links(app, delivery);
    let shown = resource.width.zip(resource.height);
    let shown = shown.and_then(|(w, h)| Some((u32::try_from(w).ok()?, u32::try_from(h).ok()?)));
    let natural = match (resource.kind, shown) {
        (Kind::Video, Some((width, height))) => fit((width, height), (640, 640)),
        (Kind::Video, None) => (640, 360),
        (Kind::Image, Some(size)) => size,
        (Kind::Audio, _) => (640, 240),
        _ => (640, 480),
    };
    let (width, height) = fit(natural, most);
    let poster = resource.derived.posters.iter().find(|p| Some(&p.key) == resource.poster.as_ref());
    let thumbnail = poster.zip(links.poster);
    let author = Some(resource.details.author.clone()).filter(|author| !author.is_empty());
    let photo = links.picture.filter(|_| resource.kind == Kind::Image);
    let start = start.map(|t| format!("?t={t}")).unwrap_or_default();
    let embed = format!("{site}/embed/{}{start}", resource.id);
    let title = resource.details.title.clone();
    OembedView {
        r#type: match resource.kind {
            Kind::Video => "video",
            Kind::Image if photo.is_some() => "photo",
            _ => "rich",
        },
        version: "1.0",
        author_name: author,
        provider_name: app.config.site.name.clone(),
        provider_url: site.to_owned(),
        cache_age: CACHE_S,
        thumbnail_width: thumbnail.as_ref().map(|(poster, _)| poster.width),
        thumbnail_height: thumbnail.as_ref().map(|(poster, _)| poster.height),
        thumbnail_url: thumbnail.map(|(_, href)| format!("{site}{href}")),
        html: photo.is_none().then(|| embed_code(&embed, &title, width, height)),
        url: photo.map(|href| format!("{site}{href}")),
        title,
        width,
        height,
    }
}

/// `size` made smaller in proportion until it fits into `most`; at least one pixel.
fn fit((width, height): (u32, u32), most: (u32, u32)) -> (u32, u32) {
    let (w, h) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let by = (f64::from(most.0) / w).min(f64::from(most.1) / h).min(1.0);
    (((w * by) as u32).max(1), ((h * by) as u32).max(1))
}

fn xml(view: &OembedView) -> String {
    let serde_json::Value::Object(fields) = serde_json::json!(view) else {
        unreachable!("a struct is an object")
    };
    let mut xml = Xml::document();
    xml.open("oembed", &[]);
    for (name, value) in &fields {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        xml.leaf(name, &text);
    }
    xml.close("oembed");
    xml.into_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_this_site_are_known() {
        let site = "https://learn.example";
        let id = ResourceId::fresh();
        let start = |url: &str| named(url, site).map(|(_, start)| start);
        assert_eq!(start(&format!("https://learn.example/resources/{id}")), Some(None));
        assert_eq!(start(&format!("http://learn.example/embed/{id}?t=8")), Some(Some("8".into())));
        assert_eq!(
            start(&format!("https://learn.example/embed/{id}?q=x&t=8.5")),
            Some(Some("8.5".into()))
        );
        assert_eq!(start(&format!("https://learn.example/resources/{id}?t=\"")), Some(None));
        for wrong in ["https://other.example/resources/", "https://learn.example/studio/"] {
            assert_eq!(start(&format!("{wrong}{id}")), None);
        }
    }

    #[test]
    fn what_is_embedded_keeps_its_shape() {
        assert_eq!(fit((1920, 1080), (640, 640)), (640, 360));
        assert_eq!(fit((640, 480), (u32::MAX, 240)), (320, 240));
        assert_eq!(fit((640, 480), (0, 0)), (1, 1));
    }
}
