//! A resource with all that it is played and read from.

use std::sync::Arc;
use std::time::Duration;

use super::direct::Passing;
use super::text::Texts;
use super::{Sent, Traffic};
use crate::catalogue::{
    BookChapter, Caption, Figure, Library, PAGES_UNSHOWN, Page, Rendition, RenditionState,
    Resource, ResourceId, Slide, Stage, TrackKind, Visibility,
};
use crate::db::{self, Db};

/// A resource with all that it is played and read from.
#[derive(Debug)]
pub struct Delivery {
    /// The resource.
    pub resource: Resource,
    /// Its library.
    pub library: Library,
    /// In the order of manifests; those without a part are left out, and all while
    /// picture or sound has none.
    pub renditions: Vec<Rendition>,
    /// There are others that are made when somebody plays it.
    pub wants_more: bool,
    /// Chinese first.
    pub captions: Vec<Caption>,
    /// In order.
    pub pages: Vec<Page>,
    /// In order.
    pub chapters: Vec<BookChapter>,
    /// In the chapters, in order.
    pub figures: Vec<Figure>,
    /// Inside the video, in order.
    pub slides: Vec<Slide>,
    /// Counts what is sent of its library.
    pub sent: Arc<Sent>,
    /// What was rendered of all that.
    pub(super) texts: Texts,
    /// The same with addresses that end.
    pub(super) passing: Passing,
    /// For how long those are given out, where clients fetch from the bucket themselves.
    pub(super) direct: Option<Duration>,
    pub(super) mark: Mark,
}

/// What of a published resource's rows shows whether it is delivered as before, without its segment
/// tables: these only grow, and what is made anew has a new id.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    changed: i64,
    library: Option<Library>,
    renditions: Vec<db::media::RenditionMark>,
    captions: Vec<Caption>,
    pages_without_pictures: i64,
}

/// What `id` is delivered from; `before`, when it still is.
///
/// # Errors
///
/// Those of the database.
pub(super) async fn load(
    db: &Db,
    id: ResourceId,
    before: Option<Arc<Delivery>>,
    (traffic, direct): (&Traffic, Option<Duration>),
) -> Result<Option<Arc<Delivery>>, db::Error> {
    let mut db = db.read().await?;
    let Some(resource) = db::resources::find(&mut db, id).await? else { return Ok(None) };
    let library = db::libraries::get(&mut db, resource.library).await?;
    let mark = Mark {
        changed: resource.changed,
        library: Some(library.clone()),
        renditions: db::media::mark_renditions(&mut db, id).await?,
        captions: db::media::list_captions(&mut db, id).await?,
        pages_without_pictures: match resource.pages {
            Some(_) => db::media::count_without_pictures(&mut db, id).await?,
            None => 0,
        },
    };
    let published = resource.stage == Stage::Published;
    if let Some(before) = before.filter(|before| published && before.mark == mark) {
        return Ok(Some(before));
    }
    let renditions = db::media::list_renditions(&mut db, id).await?;
    let wants_more = renditions.iter().any(Rendition::is_wanted);
    Ok(Some(Arc::new(Delivery {
        sent: traffic.of(library.id),
        library,
        captions: mark.captions.clone(),
        pages: db::media::list_pages(&mut db, id).await?,
        chapters: db::books::list_chapters(&mut db, id).await?,
        figures: db::books::list_figures(&mut db, id).await?,
        slides: db::slides::list(&mut db, id).await?,
        renditions: playable(renditions),
        wants_more,
        resource,
        texts: Texts::default(),
        passing: Passing::default(),
        direct,
        mark,
    })))
}

/// Those that have begun; none before there is both picture and sound, where both are planned.
/// Players look only once for what there is to choose from.
fn playable(mut renditions: Vec<Rendition>) -> Vec<Rendition> {
    let kinds = |renditions: &[Rendition]| {
        [TrackKind::Video, TrackKind::Audio]
            .map(|kind| renditions.iter().any(|r| r.kind == kind && r.is_basic()))
    };
    let planned = kinds(&renditions);
    renditions.retain(|rendition| rendition.init.is_some() && !rendition.parts.is_empty());
    if kinds(&renditions) != planned {
        renditions.clear();
    }
    renditions
}

impl Delivery {
    /// About how much memory it takes.
    pub(super) fn size_bytes(&self) -> u32 {
        let segments: usize =
            self.renditions.iter().flat_map(|r| &r.parts).map(|part| part.segments.len()).sum();
        // A segment has its row here, and a line in texts that are kept with their compressed forms.
        let texts: usize = self.slides.iter().map(|slide| 512 + slide.text.len()).sum();
        let bytes = 4096
            + segments * 128
            + (self.pages.len() + self.chapters.len() + self.figures.len()) * 512
            + self.captions.len() * 512
            + texts;
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }

    /// Whether everybody may have it.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.resource.stage == Stage::Published && self.library.visibility == Visibility::Public
    }

    /// How many pages will have pictures; until then they are read as text.
    #[must_use]
    pub fn pages_to_come(&self) -> i64 {
        let given_up = self.resource.warnings.iter().any(|code| code == PAGES_UNSHOWN);
        if given_up { 0 } else { self.mark.pages_without_pictures }
    }

    /// Whether there is something to play.
    #[must_use]
    pub fn is_playable(&self) -> bool {
        !self.renditions.is_empty()
    }

    /// Whether there is something to listen to.
    #[must_use]
    pub fn has_sound(&self) -> bool {
        self.of_kind(TrackKind::Audio).next().is_some()
    }

    /// Whether picture and sound, as far as there are any, can be had whole by every player.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let of = |kind| self.renditions.iter().filter(move |r| r.kind == kind && r.is_basic());
        [TrackKind::Video, TrackKind::Audio]
            .into_iter()
            .all(|kind| of(kind).next().is_none() || of(kind).any(Rendition::is_complete))
    }

    /// What manifests name: as soon as it can be had whole, nothing that is still being made; until
    /// then what every player plays. Other codecs join when they are whole.
    pub(super) fn offered(&self) -> impl Iterator<Item = &Rendition> {
        let whole = self.is_complete();
        self.renditions.iter().filter(move |rendition| match rendition.state {
            RenditionState::Absent | RenditionState::Retired => false,
            _ if whole => rendition.is_complete(),
            _ => rendition.is_basic(),
        })
    }

    pub(super) fn of_kind(&self, kind: TrackKind) -> impl Iterator<Item = &Rendition> {
        self.offered().filter(move |rendition| rendition.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_played_before_picture_and_sound() {
        let [video, sound] = [TrackKind::Video, TrackKind::Audio]
            .map(|kind| super::super::tests::rendition("a", kind, None));
        let coming = Rendition { parts: Vec::new(), init: None, ..sound.clone() };
        assert_eq!(playable(vec![video.clone()]).len(), 1, "one without sound");
        assert_eq!(playable(vec![video.clone(), coming.clone()]).len(), 0);
        let dark = Rendition { parts: Vec::new(), ..video.clone() };
        assert_eq!(playable(vec![dark, sound.clone()]).len(), 0);
        assert_eq!(playable(vec![video, coming, sound]).len(), 2);
    }
}
